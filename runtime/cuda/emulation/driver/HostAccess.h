// Device memory out of reach: of the host at all times, of kernels on another device without peer access. Its pages are
// inaccessible then, and the fault says in a clear sentence what it was.
//
// Invariant: while commands run, exactly the memory that they may access is accessible.
#pragma once

namespace mmc::emu::driver {

/// Takes over the signal; faults elsewhere go to who had it before. Once.
void watchHostAccess();
/// Between these, the calling thread runs commands: faults of theirs are findings.
void beginCommand();
void endCommand();

} // namespace mmc::emu::driver
