// RUN: %mmc-opt %s --pass-pipeline='builtin.module(mmc-choose-family{variant=sm_90a portable=linear_[})' --verify-diagnostics

// expected-error @below {{expected a name with * for any characters, got linear_[}}
module {
}
