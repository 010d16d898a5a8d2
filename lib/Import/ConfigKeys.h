// Which keys a configuration may have beside those that the reader of the family takes values from.
#pragma once

#include "lib/Import/ConfigReader.h"

namespace mmc::import {

/// Refuses settings of known features that the family's mathematics here does not have, by key and value.
void checkRestrictions(ConfigReader &reader);

/// Refuses every key that nobody has asked `reader` for and that is not known to leave the model's answers alone. Goes
/// last, after all fields are read.
void refuseUnknownKeys(ConfigReader &reader);

} // namespace mmc::import
