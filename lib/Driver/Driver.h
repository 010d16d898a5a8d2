// The mmc program as a library: tools/mmc is a main that calls this.
//
// Data goes to standard output, everything else to standard error. The exit code is the class of the failure
// (mmc-c/Status.h).
#pragma once

namespace mmc::driver {

/// Parses the command line, runs the command, reports a failure in two lines; returns the exit code. One call per
/// process: it installs the handler of SIGINT and reads the environment.
int runDriver(int argc, char **argv);

} // namespace mmc::driver
