// The mmc program; everything is in lib/Driver.
#include "lib/Driver/Driver.h"

int main(int argc, char **argv) { return mmc::driver::runDriver(argc, argv); }
