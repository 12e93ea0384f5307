// A value or the errno of the system call that failed.
#pragma once

#include <utility>
#include <variant>

namespace sluice {

/// A failed system call.
struct SystemError {
  int number = 0;         // errno
  const char* call = "";  // the call's name, a literal
};

/// Either a T or a SystemError; look before you take.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : held_(std::in_place_index<1>, std::move(value)) {}             // NOLINT: implicit by design
  Result(SystemError error) : held_(std::in_place_index<0>, error) {}  // NOLINT: implicit by design

  explicit operator bool() const { return held_.index() == 1; }
  /// Only where the result holds a value.
  T& value() { return *std::get_if<1>(&held_); }
  /// Only where it does not.
  SystemError error() const { return *std::get_if<0>(&held_); }

 private:
  std::variant<SystemError, T> held_;
};

}  // namespace sluice
