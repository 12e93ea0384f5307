// Reads the fields of an object of JavaScript, such as settings.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/socket.h"
#include "binding/arguments.h"

namespace sluice::binding {

/// The kernel's own bounds (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT).
inline constexpr int64_t kMaxKeepAliveS = 32767;
inline constexpr int64_t kMaxKeepAliveProbes = 127;

/// @returns nothing after throwing a TypeError that names `what`
std::optional<Napi::Object> ReadObject(Napi::Env env, Napi::Value value, const char* what);

/// Fields of one object, read one after the other; the first that is wrong throws, and the rest is
/// not looked at.
class FieldReader {
 public:
  FieldReader(Napi::Env env, Napi::Object object, std::string prefix = "")
      : env_(env), object_(object), prefix_(std::move(prefix)) {}

  template <typename Number>
  FieldReader& Integer(const char* name, int64_t least, int64_t most, Number* place) {
    if (!is_well_) return *this;
    const std::string what = prefix_ + name;
    const auto number = ReadInteger(env_, object_.Get(name), what.c_str(), least, most);
    if (number) *place = static_cast<Number>(*number);
    is_well_ = number.has_value();
    return *this;
  }
  FieldReader& Boolean(const char* name, bool* place);
  /// A text of latin1.
  FieldReader& Text(const char* name, std::string* place);
  FieldReader& KeepAliveField(const char* name, KeepAlive* place);

  bool is_well() const { return is_well_; }

 private:
  Napi::Env env_;
  Napi::Object object_;
  std::string prefix_;
  bool is_well_ = true;
};

}  // namespace sluice::binding
