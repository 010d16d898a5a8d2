#include "lib/Import/ModelConfig.h"
#include <gtest/gtest.h>
TEST(Config, Placeholder) {}
