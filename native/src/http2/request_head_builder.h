// Writes a header block of HTTP/2 as the head of an HTTP/1.1 request, for the one strict parser to
// judge (RFC 9113 section 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"

namespace sluice::http2 {

/// What a header block turned out to be.
enum class HeadVerdict : uint8_t {
  kDone,
  /// Not to be answered: RST_STREAM, PROTOCOL_ERROR (RFC 9113 section 8.1.1).
  kMalformed,
  /// Above the listener's limit: answered with 431.
  kTooLarge,
};

/// One for each connection: the frames of a header block follow each other (RFC 9113 section 4.3).
/// Fields come in their order. Nothing that could end a line, or a part of one, is ever written.
///
/// Malformed: a name that is no token in small letters; a value with a control but HTAB, or a blank
/// at either end; a pseudo-field that is unknown, repeated, behind other fields or not of this kind
/// of request; none where one is needed; a scheme that is neither http nor https; a path that is
/// neither "/…" nor "*" of OPTIONS, or holds a blank or control; Host that is not the :authority;
/// fields of a connection (Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade; TE
/// but "trailers"); content announced for a request that ends with its head.
class RequestHeadBuilder {
 public:
  /// Begins a request's block. @param most_bytes of the head that it becomes
  void Begin(size_t most_bytes);
  /// Begins a block behind a request's body: judged, and dropped.
  void BeginTrailers(size_t most_bytes);
  /// HOT: once per field.
  void Add(std::string_view name, std::string_view value);
  /// A field came that is not to be looked at: the block is malformed.
  void Refuse() { is_malformed_ = true; }
  /// The block is complete. @param is_last the request ends with it
  HeadVerdict End(bool is_last);
  /// After kDone: request line, Host, the other fields, cookies in one line, then
  /// `transfer-encoding: chunked` where content follows whose length is not known. Valid until the
  /// next Begin. With :protocol (RFC 8441) `GET … HTTP/1.1` with `connection: upgrade`, `upgrade:`
  /// and no Sec-WebSocket-Key: that is for who sends it.
  std::string_view text() const { return text_.view(); }
  /// Lines in it that no field of the client's stands behind.
  uint32_t own_fields() const { return own_fields_; }
  /// :protocol was given.
  bool is_extended_connect() const { return !protocol_.empty(); }
  /// All that has been unpacked so far, kept or not (RFC 9113 section 6.5.2: 32 for each field).
  size_t unpacked_bytes() const { return unpacked_bytes_; }

 private:
  enum class Pseudo : uint8_t {
    kMethod = 1,
    kScheme = 2,
    kAuthority = 4,
    kPath = 8,
    kProtocol = 16
  };

  void AddPseudo(std::string_view name, std::string_view value);
  bool Take(Pseudo which, std::string_view value, std::string* into);
  bool IsRequestWell() const;
  void WriteRequestLine();
  void AppendLine(std::string_view name, std::string_view value);

  size_t most_bytes_ = 0;
  size_t unpacked_bytes_ = 0;
  uint32_t own_fields_ = 0;
  uint8_t pseudo_ = 0;  // those that came
  bool is_trailers_ = false;
  bool has_line_ = false;
  bool is_malformed_ = false;
  bool is_too_large_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool has_content_ = false;  // announced
  // Kept from request to request: small, and their memory stays.
  std::string method_;
  std::string authority_;
  std::string path_;
  std::string protocol_;
  std::string cookies_;
  ByteBuffer text_;
};

}  // namespace sluice::http2
