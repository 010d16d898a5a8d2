// 8 x 8 matrices of 16-bit elements between shared memory and the registers of a warp (PTX ISA: ldmatrix, stmatrix).
//
// Lane 8 i + r gives the address of row r of matrix i (16 bytes, aligned to 16); a lane's register i then holds the
// elements 2 (lane % 4) and + 1 of row lane / 4 of matrix i; transposed: of column lane / 4.
//
// Invariant: by the whole warp. Accesses of the generic proxy, ordered as plain ones.
#pragma once

#include "ptx/launch.cuh"

/// 1, 2 or 4 matrices.
template <u32 count> MMC_DEVICE void loadMatrix(u32 (&registers)[count], const void *row) {
  static_assert(count == 1 || count == 2 || count == 4, "ldmatrix loads 1, 2 or 4 matrices");
  const u32 address = sharedAddress(row);
  if constexpr (count == 1)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(registers[0]) : "r"(address) : "memory");
  else if constexpr (count == 2)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(registers[0]), "=r"(registers[1])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(address)
                 : "memory");
}
template <u32 count> MMC_DEVICE void loadMatrixTransposed(u32 (&registers)[count], const void *row) {
  static_assert(count == 1 || count == 2 || count == 4, "ldmatrix loads 1, 2 or 4 matrices");
  const u32 address = sharedAddress(row);
  if constexpr (count == 1)
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                 : "=r"(registers[0])
                 : "r"(address)
                 : "memory");
  else if constexpr (count == 2)
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(registers[0]), "=r"(registers[1])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(registers[0]), "=r"(registers[1]), "=r"(registers[2]), "=r"(registers[3])
                 : "r"(address)
                 : "memory");
}

/// sm_90.
template <u32 count, u32 architecture = kArchitecture>
MMC_DEVICE void storeMatrix(void *row, const u32 (&registers)[count]) {
  static_assert(count == 1 || count == 2 || count == 4, "stmatrix stores 1, 2 or 4 matrices");
  static_assert(architecture >= 900, "stmatrix needs sm_90");
  const u32 address = sharedAddress(row);
  if constexpr (count == 1)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.shared.b16 [%0], {%1};" ::"r"(address), "r"(registers[0]) : "memory");
  else if constexpr (count == 2)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" ::"r"(address), "r"(registers[0]),
                 "r"(registers[1])
                 : "memory");
  else
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(registers[0]),
                 "r"(registers[1]), "r"(registers[2]), "r"(registers[3])
                 : "memory");
}
template <u32 count, u32 architecture = kArchitecture>
MMC_DEVICE void storeMatrixTransposed(void *row, const u32 (&registers)[count]) {
  static_assert(count == 1 || count == 2 || count == 4, "stmatrix stores 1, 2 or 4 matrices");
  static_assert(architecture >= 900, "stmatrix needs sm_90");
  const u32 address = sharedAddress(row);
  if constexpr (count == 1)
    asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" ::"r"(address), "r"(registers[0])
                 : "memory");
  else if constexpr (count == 2)
    asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(address), "r"(registers[0]),
                 "r"(registers[1])
                 : "memory");
  else
    asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(address),
                 "r"(registers[0]), "r"(registers[1]), "r"(registers[2]), "r"(registers[3])
                 : "memory");
}
