// The state of printing one kernel: names of values, the text so far, what the file's head needs.
#pragma once

#include "dialects/Hopper/IR/Hopper.h"
#include "lib/Target/CUDA/PrintCuda.h"

#include "llvm/ADT/StringMap.h"

#include <string>

namespace mmc::cuda {

class KernelPrinter {
public:
  explicit KernelPrinter(hopper::KernelOp kernel) : kernel(kernel), threads(kernel.getThreads()) {}
  std::optional<PrintedKernel> run();

private:
  // KernelPrinter.cpp: the frame, control flow, scalars
  void nameArguments();
  void nameMaps();
  llvm::StringRef mapOf(hopper::TensorCopyOp copy);
  std::string parameters();
  void printDomain();
  std::string sharedStruct(uint32_t &bytes);
  void printBlock(mlir::Block &block);
  void printOp(mlir::Operation &op);
  void printFor(mlir::scf::ForOp loop);
  void printDistribute(hopper::DistributeOp loop);
  void printScalar(mlir::Operation &op);
  void printYield(mlir::scf::ForOp loop);
  void line(const std::string &text);
  std::string fresh(llvm::StringRef base);
  const std::string &define(mlir::Value value, llvm::StringRef base);
  /// A value as an expression: its name, or its text where it is used once and costs nothing to write out.
  std::string text(mlir::Value value);
  std::string declareFragment(mlir::Value value, llvm::StringRef base);

  // MemoryPrinter.cpp: loads, stores, copies
  std::string address(mlir::Value view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> along, llvm::StringRef row);
  std::string addressInPage(hopper::CopyOp copy);
  std::string gatheredRow(mlir::Value rows);
  std::string bounds(tile::ViewType view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> along,
                     llvm::ArrayRef<int64_t> sizes, mlir::Value limit);
  int64_t chunk(tile::ViewType view, mlir::ValueRange indices, llvm::ArrayRef<int64_t> along) const;
  void printLoad(hopper::LoadOp load);
  void printStore(hopper::StoreOp store);
  void printCopy(hopper::CopyOp copy);

  // RolesPrinter.cpp: rings, and who fills them
  void printRoles(hopper::RolesOp roles);
  void printFill(hopper::FillOp fill);
  void printTensorCopies(hopper::FillOp fill);
  bool printRingUse(mlir::Operation &op);

  // ComputePrinter.cpp: maps, products, reductions
  void printMap(hopper::MapOp map);
  template <class ProductOp> std::string sumOf(ProductOp product);
  template <class ProductOp> std::string operandText(ProductOp product, mlir::Value operand, bool columnsAreK);
  void printMultiply(hopper::MultiplyOp multiply);
  void printWgmma(hopper::WgmmaOp wgmma);
  void printWgmmaWait(hopper::WgmmaWaitOp wait);
  void printReduce(hopper::ReduceOp reduce);
  void printTopK(hopper::TopKOp topK);
  void printTransfer(mlir::Operation *op, mlir::Value shared);
  std::string sharedText(mlir::Value shared, mlir::Value stage);

  hopper::KernelOp kernel;
  int64_t threads;
  std::string body, head;
  unsigned indent = 1;
  llvm::StringMap<unsigned> used;
  llvm::DenseMap<mlir::Value, std::string> names, pageTables;
  llvm::SmallVector<std::string> extents; // of the work domain, as text
  hopper::RolesOp filling;                // the roles whose filling side is being printed
  bool filledByOne = false;               // one thread does all of that side
  llvm::SmallVector<std::pair<hopper::TensorCopyOp, std::string>> mapNames; // the first copy through each map
  std::vector<runtime::TensorMapRecord> maps;
  bool needsScratch = false, needsWarpgroups = false, failed = false;
};

} // namespace mmc::cuda
