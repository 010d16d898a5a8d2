// Interprets the model description.
#include "lib/Driver/ReferenceEngine.h"

namespace mmc::driver {

Expected<std::unique_ptr<Engine>> makeReferenceEngine(const ReferenceOptions &) {
  return Status(kNotSupported, "--target reference: this build has no model interpreter");
}

} // namespace mmc::driver
