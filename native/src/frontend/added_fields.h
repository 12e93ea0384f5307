// The fields that the proxy adds to a response's head.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::frontend {

/// At most one field of each name, in the order in which they first came.
class AddedFields {
 public:
  /// Most bytes of all their lines.
  static constexpr size_t kMostBytes = 16 * 1024;

  /// Says whether a field can be added at all: the name is a token and none that frames the message
  /// or belongs to one connection (those of ClassifyFieldName), the value holds printable ASCII,
  /// blanks and tabs only.
  static bool IsAllowed(std::string_view name, std::string_view value);

  /// Adds a field that IsAllowed; another one of its name, in any case, gives it its place.
  /// @param value nothing: takes the field away
  /// @returns false: that would be more than kMostBytes, and nothing has changed
  bool Set(std::string_view name, std::optional<std::string_view> value);

  /// `name: value\r\n` for each.
  std::string_view lines() const { return lines_; }

 private:
  std::string lines_;
};

}  // namespace sluice::frontend
