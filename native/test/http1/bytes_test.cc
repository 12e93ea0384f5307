// Unit tests of the byte classes and of the fast scans against their byte-by-byte references.
#include "http1/bytes.h"

#include <string>

#include "check.h"
#include "http1/field_name.h"
#include "splits.h"

namespace sluice::http1 {
namespace {

TEST(ScansFindEveryByteAtEveryPlace) {
  for (size_t size = 0; size <= 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        const ExactCopy copy(text);
        const char* const begin = copy.view().data();
        const char* const end = begin + size;
        const char* const from = begin + at / 2;
        const bool agree =
            FindControl(begin, begin, end) == FindControlPortable(begin, end) &&
            FindControl(begin, from, end) == FindControlPortable(from, end) &&
            FindControl(from, from, end) == FindControlPortable(from, end) &&
            FindControl(begin, begin + at + 1, end) == FindControlPortable(begin + at + 1, end) &&
            SkipToken(begin, end) == SkipTokenPortable(begin, end);
        const bool is_end = IsTargetEnd(static_cast<char>(byte));
        CHECK(FindTargetEnd(begin, begin, end) == (is_end ? begin + at : end));
        CHECK(FindTargetEnd(begin, from, end) == (is_end ? begin + at : end));
        CHECK(FindTargetEnd(begin, begin + at + 1, end) == end);
        if (!agree) check::Fail(__FILE__, __LINE__, "scans disagree on " + check::Describe(text));
        if (byte != 'a') {
          CHECK(FindByte(begin, begin, end, static_cast<char>(byte)) == begin + at);
          CHECK(FindByte(begin, from, end, static_cast<char>(byte)) == begin + at);
          CHECK(FindByte(begin, begin + at + 1, end, static_cast<char>(byte)) == end);
        }
      }
    }
  }
}

TEST(ClassesAreThoseOfTheStandard) {
  size_t tokens = 0;
  size_t controls = 0;
  for (int byte = 0; byte < 256; ++byte) {
    tokens += IsTokenByte(static_cast<char>(byte)) ? 1 : 0;
    controls += IsControlByte(static_cast<char>(byte)) ? 1 : 0;
  }
  CHECK_EQ(tokens, 77);
  CHECK_EQ(controls, 32);
  CHECK(!IsControlByte('\t'));
  CHECK(IsControlByte('\x7f'));
}

TEST(ClassifiesNamesOfAnyCaseExactly) {
  struct Known {
    std::string_view name;
    FieldName wanted;
  };
  const Known all[] = {{"connection", FieldName::kConnection},
                       {"content-length", FieldName::kContentLength},
                       {"date", FieldName::kDate},
                       {"keep-alive", FieldName::kKeepAlive},
                       {"proxy-connection", FieldName::kProxyConnection},
                       {"te", FieldName::kTe},
                       {"trailer", FieldName::kTrailer},
                       {"transfer-encoding", FieldName::kTransferEncoding},
                       {"upgrade", FieldName::kUpgrade}};
  for (const auto& [name, wanted] : all) {
    CHECK_EQ(ClassifyFieldName(name), wanted);
    for (size_t at = 0; at < name.size(); ++at) {
      for (int byte = 0x21; byte < 0x7f; ++byte) {
        if (!IsTokenByte(static_cast<char>(byte))) continue;
        std::string text(name);
        text[at] = static_cast<char>(byte);
        const bool is_same = ToLowerCase(static_cast<char>(byte)) == name[at];
        CHECK_EQ(ClassifyFieldName(text), is_same ? wanted : FieldName::kOther);
      }
    }
  }
}

TEST(ProtectsWhatEveryRecipientNeeds) {
  for (const std::string_view name :
       {"Age", "SET-COOKIE", "content-x", "Content-", "x-forwarded-y", "via", "sec-a"}) {
    CHECK(IsProtectedFieldName(name));
  }
  for (const std::string_view name :
       {"", "ag", "ages", "content", "x-hop", "upgrade", "close", "x-forwarded"}) {
    CHECK(!IsProtectedFieldName(name));
  }
}

}  // namespace
}  // namespace sluice::http1
