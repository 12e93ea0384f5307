// The test runner of the C++ tests: TEST(name) { … }, CHECK(condition), CHECK_EQ(found, wanted).
// main() is included. A failing check prints one line and its test goes on; the last line counts
// tests. Test files may be linked one by one or together.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace check {

struct Test {
  const char* name;
  void (*run)();
};

inline std::vector<Test> tests;
inline int failed_checks = 0;

inline bool Register(const char* name, void (*run)()) {
  tests.push_back({name, run});
  return true;
}

/// A value as text: numbers and enums in decimal, text in quotes, control bytes in hex.
template <typename Value>
std::string Describe(const Value& value) {
  if constexpr (std::is_enum_v<Value> || std::is_integral_v<Value>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    std::string text;
    for (const char byte : std::string_view(value)) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned>(byte) & 0xffu);
      text += byte < ' ' || byte == 0x7f ? std::string(hex) : std::string(1, byte);
    }
    return '"' + text + '"';
  } else {
    return "(no text form)";
  }
}

/// Integers of any sign and size compare by value, so that literals need no suffix.
template <typename Left, typename Right>
bool AreEqual(const Left& left, const Right& right) {
  if constexpr (std::is_integral_v<Left> && std::is_integral_v<Right> &&
                !std::is_same_v<Left, bool>) {
    return std::cmp_equal(left, right);
  } else {
    return left == right;
  }
}

inline void Fail(const char* file, int line, const std::string& what) {
  ++failed_checks;
  std::printf("%s:%d: %s\n", file, line, what.c_str());
}

template <typename Found, typename Wanted>
void CheckEqual(const char* file, int line, const char* what, const Found& found,
                const Wanted& wanted) {
  if (AreEqual(found, wanted)) return;
  Fail(file, line, what + Describe(found) + ", not " + Describe(wanted));
}

}  // namespace check

#define TEST(name)                                                                    \
  static void Test##name();                                                           \
  [[maybe_unused]] static const bool kHas##name = check::Register(#name, Test##name); \
  static void Test##name()

#define CHECK(condition) \
  ((condition) ? void() : check::Fail(__FILE__, __LINE__, "not so: " #condition))

#define CHECK_EQ(found, wanted) check::CheckEqual(__FILE__, __LINE__, #found " is ", found, wanted)

[[gnu::weak]] int main() {
  size_t failed = 0;
  for (const check::Test& test : check::tests) {
    check::failed_checks = 0;
    test.run();
    failed += check::failed_checks > 0 ? 1 : 0;
  }
  std::printf("%zu passed, %zu failed\n", check::tests.size() - failed, failed);
  return failed == 0 ? 0 : 1;
}
