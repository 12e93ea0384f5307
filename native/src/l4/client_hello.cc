// Strict reading of a ClientHello: first where it lies in its records, then what stands in it.
#include "l4/client_hello.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <utility>

namespace sluice::l4 {
namespace {

// --- records (RFC 8446 section 5.1) ---

constexpr size_t kRecordHeadBytes = 5;     // type, version, length
constexpr size_t kHandshakeHeadBytes = 4;  // type, length of the message
constexpr size_t kMaxFragmentBytes = 1 << 14;
constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kTlsMajorVersion = 3;
constexpr uint8_t kClientHelloMessage = 1;

constexpr size_t ByteAt(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]);
}

/// Collects the first bytes of a message, however its records cut them.
class HandshakeHead {
 public:
  void Add(std::string_view fragment) {
    const size_t taken = std::min(fragment.size(), kHandshakeHeadBytes - size_);
    if (taken != 0) std::memcpy(bytes_.data() + size_, fragment.data(), taken);
    size_ += taken;
  }

  bool is_other_message() const {
    return size_ > 0 && static_cast<uint8_t>(bytes_[0]) != kClientHelloMessage;
  }
  bool is_complete() const { return size_ == kHandshakeHeadBytes; }
  size_t message_bytes() const {
    const std::string_view head(bytes_.data(), size_);
    return kHandshakeHeadBytes + (ByteAt(head, 1) << 16 | ByteAt(head, 2) << 8 | ByteAt(head, 3));
  }

 private:
  std::array<char, kHandshakeHeadBytes> bytes_{};
  size_t size_ = 0;
};

/// What the records hold of the first handshake message.
struct Message {
  PrefaceStatus status = PrefaceStatus::kNeedMore;
  bool is_tls = true;
  size_t input_bytes = 0;  // its records, complete
  size_t bytes = 0;        // itself, with its head
};

constexpr Message kNeedMore = {.status = PrefaceStatus::kNeedMore};
constexpr Message kInvalid = {.status = PrefaceStatus::kInvalid};
constexpr Message kNotTls = {.status = PrefaceStatus::kDone, .is_tls = false};

/// @param input at most kMaxClientHelloBytes
Message FindMessage(std::string_view input) {
  HandshakeHead head;
  size_t gathered = 0;
  for (size_t at = 0;;) {
    const std::string_view record = input.substr(at);
    const bool is_first = at == 0;
    if (record.empty()) return kNeedMore;
    if (ByteAt(record, 0) != kHandshakeRecord) return is_first ? kNotTls : kInvalid;
    if (record.size() == 1) return kNeedMore;
    if (ByteAt(record, 1) != kTlsMajorVersion) return is_first ? kNotTls : kInvalid;
    if (record.size() < kRecordHeadBytes) return kNeedMore;
    const size_t length = ByteAt(record, 3) << 8 | ByteAt(record, 4);
    if (length == 0 || length > kMaxFragmentBytes) return kInvalid;

    const std::string_view fragment = record.substr(kRecordHeadBytes, length);
    head.Add(fragment);
    if (head.is_other_message()) return kInvalid;
    if (head.is_complete()) {
      const size_t missing = head.message_bytes() - gathered;
      // A server takes what stands behind it for another message, at a moment when none may come.
      if (length > missing) return kInvalid;
      if (at + kRecordHeadBytes + missing > kMaxClientHelloBytes) return kInvalid;
    }
    if (fragment.size() < length) return kNeedMore;
    gathered += length;
    at += kRecordHeadBytes + length;
    if (head.is_complete() && gathered == head.message_bytes())
      return {.status = PrefaceStatus::kDone, .input_bytes = at, .bytes = gathered};
  }
}

/// The message without the heads of its records. @param records complete
std::string JoinFragments(std::string_view records, size_t message_bytes) {
  std::string message;
  message.reserve(message_bytes);
  while (!records.empty()) {
    const size_t length = ByteAt(records, 3) << 8 | ByteAt(records, 4);
    message += records.substr(kRecordHeadBytes, length);
    records.remove_prefix(kRecordHeadBytes + length);
  }
  return message;
}

// --- the message (RFC 8446 section 4.1.2) ---

constexpr size_t kRandomBytes = 32;
constexpr size_t kMaxSessionIdBytes = 32;
constexpr size_t kServerNameExtension = 0;
constexpr size_t kAlpnExtension = 16;
constexpr size_t kHostName = 0;

/// Takes fields from the front. What a field lacks makes the reader fail for good.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  bool has_failed() const { return has_failed_; }
  bool is_at_end() const { return rest_.empty(); }
  /// Everything was there, and nothing more.
  bool is_finished() const { return !has_failed_ && rest_.empty(); }

  std::string_view TakeBytes(size_t size) {
    if (size > rest_.size()) {
      has_failed_ = true;
      size = rest_.size();
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  /// A number of `bytes` bytes.
  size_t TakeNumber(size_t bytes) {
    size_t number = 0;
    for (const char byte : TakeBytes(bytes))
      number = number << 8 | static_cast<uint8_t>(byte);
    return number;
  }

  /// A vector whose length, at least `least` and at most `most`, stands before it.
  std::string_view TakeVector(size_t length_bytes, size_t least, size_t most) {
    const size_t size = TakeNumber(length_bytes);
    has_failed_ = has_failed_ || size < least || size > most;
    return TakeBytes(size);
  }

 private:
  std::string_view rest_;
  bool has_failed_ = false;
};

bool IsHostByte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '_' || byte == '.';
}

bool IsIpv4Literal(const std::string& name) {
  in_addr address{};
  return inet_pton(AF_INET, name.c_str(), &address) == 1;
}

/// RFC 6066 section 3. Other types of names begin with a length, too, and say nothing to us.
bool ReadServerName(std::string_view extension, ClientHello* hello) {
  FieldReader fields(extension);
  FieldReader names(fields.TakeVector(2, 1, 0xffff));
  bool has_host_name = false;
  while (!names.is_at_end()) {
    const bool is_host_name = names.TakeNumber(1) == kHostName;
    const std::string_view name = names.TakeVector(2, 1, 0xffff);
    if (names.has_failed() || (is_host_name && has_host_name)) return false;
    if (is_host_name) hello->server_name = HostName(name);
    has_host_name = has_host_name || is_host_name;
  }
  return fields.is_finished();
}

/// RFC 7301 section 3.1.
bool ReadAlpn(std::string_view extension, ClientHello* hello) {
  FieldReader fields(extension);
  const std::string_view list = fields.TakeVector(2, 2, 0xffff);
  FieldReader protocols(list);
  while (!protocols.is_at_end())
    protocols.TakeVector(1, 1, 0xff);
  hello->alpn = list;
  return fields.is_finished() && protocols.is_finished();
}

/// RFC 8446 section 4.2: no two of the same type.
bool ReadExtensions(std::string_view list, ClientHello* hello) {
  std::bitset<0x10000> seen;
  FieldReader extensions(list);
  while (!extensions.is_at_end()) {
    const size_t type = extensions.TakeNumber(2);
    const std::string_view extension = extensions.TakeVector(2, 0, 0xffff);
    if (extensions.has_failed() || seen[type]) return false;
    seen[type] = true;
    if (type == kServerNameExtension && !ReadServerName(extension, hello)) return false;
    if (type == kAlpnExtension && !ReadAlpn(extension, hello)) return false;
  }
  return true;
}

/// @param message with its head
bool ReadMessage(std::string_view message, ClientHello* hello) {
  FieldReader fields(message.substr(kHandshakeHeadBytes));
  const size_t version = fields.TakeNumber(2);
  fields.TakeBytes(kRandomBytes);
  fields.TakeVector(1, 0, kMaxSessionIdBytes);
  const std::string_view cipher_suites = fields.TakeVector(2, 2, 0xfffe);
  fields.TakeVector(1, 1, 0xff);  // compression methods
  if (fields.has_failed() || version >> 8 != kTlsMajorVersion || cipher_suites.size() % 2 != 0)
    return false;
  if (fields.is_at_end()) return true;  // clients before TLS 1.3 may do without extensions
  const std::string_view extensions = fields.TakeVector(2, 0, 0xffff);
  return fields.is_finished() && ReadExtensions(extensions, hello);
}

}  // namespace

std::string HostName(std::string_view name) {
  constexpr size_t kMaxNameBytes = 253;
  constexpr size_t kMaxLabelBytes = 63;
  // RFC 6066 wants it without the dot; clients that were given an absolute name send it all the
  // same.
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameBytes) return {};
  std::string host(name);
  size_t label_bytes = 0;
  for (char& byte : host) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte | 0x20);
    if (!IsHostByte(byte)) return {};
    if (byte == '.' && label_bytes == 0) return {};
    label_bytes = byte == '.' ? 0 : label_bytes + 1;
    if (label_bytes > kMaxLabelBytes) return {};
  }
  return label_bytes == 0 || IsIpv4Literal(host) ? std::string() : host;
}

PrefaceStatus ParseClientHello(std::string_view input, ClientHello* hello) {
  const Message found = FindMessage(input.substr(0, kMaxClientHelloBytes));
  if (found.status == PrefaceStatus::kNeedMore)
    return input.size() >= kMaxClientHelloBytes ? PrefaceStatus::kInvalid : found.status;
  if (found.status == PrefaceStatus::kInvalid) return found.status;
  ClientHello parsed;
  parsed.is_tls = found.is_tls;
  if (found.is_tls) {
    const std::string_view records = input.substr(0, found.input_bytes);
    const bool is_one_record = found.input_bytes == kRecordHeadBytes + found.bytes;
    const bool is_well_formed = is_one_record
                                    ? ReadMessage(records.substr(kRecordHeadBytes), &parsed)
                                    : ReadMessage(JoinFragments(records, found.bytes), &parsed);
    if (!is_well_formed) return PrefaceStatus::kInvalid;
  }
  *hello = std::move(parsed);
  return PrefaceStatus::kDone;
}

}  // namespace sluice::l4
