//===- FunctionRef.h - a borrowed callable ---------------------------------===//
//
// Text streams through the stages of the tokenizer as callbacks; this passes one without an allocation and without a
// template in every header. Invariant: the callable outlives the call it is passed to, so a FunctionRef is a parameter
// and never a member.
//
//===----------------------------------------------------------------------===//
#ifndef MMC_TEXT_FUNCTIONREF_H
#define MMC_TEXT_FUNCTIONREF_H

#include <memory>
#include <type_traits>
#include <utility>

namespace mmc::text {

template <typename Signature> class FunctionRef;

template <typename R, typename... Args> class FunctionRef<R(Args...)> {
public:
  template <typename F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F &, Args...>)
  FunctionRef(F &&function)
      : object(const_cast<void *>(static_cast<const void *>(std::addressof(function)))),
        call([](void *target, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F> *>(target))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call(object, std::forward<Args>(args)...); }

private:
  void *object;
  R (*call)(void *, Args...);
};

} // namespace mmc::text

#endif
