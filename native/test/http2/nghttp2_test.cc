// Holds our declarations of nghttp2 against the library's own header: constants, layouts, types of
// functions.
#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "check.h"
#include "http2/nghttp2_needs.h"

#define SLUICE_NGHTTP2_IS_COMPARED
namespace ours {
#include "http2/nghttp2.h"
}  // namespace ours

namespace {

/// The compiler's words for a type, without our namespace.
template <typename Type>
std::string NameOf() {
  std::string name = __PRETTY_FUNCTION__;
  for (size_t at = name.find("ours::"); at != std::string::npos; at = name.find("ours::")) {
    name.erase(at, 6);
  }
  return name;
}

// Fails to compile where sizes or places differ.
#define SAME_SIZE(type) \
  static_assert(sizeof(ours::type) == sizeof(::type) && alignof(ours::type) == alignof(::type))
#define SAME_PLACE(type, member)                                           \
  static_assert(offsetof(ours::type, member) == offsetof(::type, member)); \
  static_assert(sizeof(ours::type::member) == sizeof(::type::member))
#define SAME_VALUE(name) static_assert(int{ours::name} == int{::name})

SAME_SIZE(nghttp2_vec);
SAME_PLACE(nghttp2_vec, base);
SAME_PLACE(nghttp2_vec, len);
SAME_SIZE(nghttp2_nv);
SAME_PLACE(nghttp2_nv, name);
SAME_PLACE(nghttp2_nv, value);
SAME_PLACE(nghttp2_nv, namelen);
SAME_PLACE(nghttp2_nv, valuelen);
SAME_PLACE(nghttp2_nv, flags);
SAME_SIZE(nghttp2_settings_entry);
SAME_PLACE(nghttp2_settings_entry, settings_id);
SAME_PLACE(nghttp2_settings_entry, value);
SAME_SIZE(nghttp2_priority_spec);
SAME_PLACE(nghttp2_priority_spec, stream_id);
SAME_PLACE(nghttp2_priority_spec, weight);
SAME_PLACE(nghttp2_priority_spec, exclusive);
SAME_SIZE(nghttp2_frame_hd);
SAME_PLACE(nghttp2_frame_hd, length);
SAME_PLACE(nghttp2_frame_hd, stream_id);
SAME_PLACE(nghttp2_frame_hd, type);
SAME_PLACE(nghttp2_frame_hd, flags);
SAME_PLACE(nghttp2_frame_hd, reserved);
SAME_SIZE(nghttp2_data);
SAME_PLACE(nghttp2_data, padlen);
SAME_SIZE(nghttp2_headers);
SAME_PLACE(nghttp2_headers, padlen);
SAME_PLACE(nghttp2_headers, pri_spec);
SAME_PLACE(nghttp2_headers, nva);
SAME_PLACE(nghttp2_headers, nvlen);
SAME_PLACE(nghttp2_headers, cat);
SAME_SIZE(nghttp2_priority);
SAME_PLACE(nghttp2_priority, pri_spec);
SAME_SIZE(nghttp2_rst_stream);
SAME_PLACE(nghttp2_rst_stream, error_code);
SAME_SIZE(nghttp2_settings);
SAME_PLACE(nghttp2_settings, niv);
SAME_PLACE(nghttp2_settings, iv);
SAME_SIZE(nghttp2_push_promise);
SAME_PLACE(nghttp2_push_promise, padlen);
SAME_PLACE(nghttp2_push_promise, nva);
SAME_PLACE(nghttp2_push_promise, nvlen);
SAME_PLACE(nghttp2_push_promise, promised_stream_id);
SAME_SIZE(nghttp2_ping);
SAME_PLACE(nghttp2_ping, opaque_data);
SAME_SIZE(nghttp2_goaway);
SAME_PLACE(nghttp2_goaway, last_stream_id);
SAME_PLACE(nghttp2_goaway, error_code);
SAME_PLACE(nghttp2_goaway, opaque_data);
SAME_PLACE(nghttp2_goaway, opaque_data_len);
SAME_SIZE(nghttp2_window_update);
SAME_PLACE(nghttp2_window_update, window_size_increment);
SAME_SIZE(nghttp2_extension);
SAME_PLACE(nghttp2_extension, payload);
SAME_SIZE(nghttp2_frame);
SAME_SIZE(nghttp2_data_source);
SAME_SIZE(nghttp2_data_provider);
SAME_PLACE(nghttp2_data_provider, source);
SAME_PLACE(nghttp2_data_provider, read_callback);

SAME_VALUE(NGHTTP2_ERR_INVALID_ARGUMENT);
SAME_VALUE(NGHTTP2_ERR_WOULDBLOCK);
SAME_VALUE(NGHTTP2_ERR_PROTO);
SAME_VALUE(NGHTTP2_ERR_INVALID_FRAME);
SAME_VALUE(NGHTTP2_ERR_EOF);
SAME_VALUE(NGHTTP2_ERR_DEFERRED);
SAME_VALUE(NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE);
SAME_VALUE(NGHTTP2_ERR_STREAM_CLOSED);
SAME_VALUE(NGHTTP2_ERR_STREAM_CLOSING);
SAME_VALUE(NGHTTP2_ERR_STREAM_SHUT_WR);
SAME_VALUE(NGHTTP2_ERR_INVALID_STREAM_ID);
SAME_VALUE(NGHTTP2_ERR_INVALID_STREAM_STATE);
SAME_VALUE(NGHTTP2_ERR_DEFERRED_DATA_EXIST);
SAME_VALUE(NGHTTP2_ERR_START_STREAM_NOT_ALLOWED);
SAME_VALUE(NGHTTP2_ERR_GOAWAY_ALREADY_SENT);
SAME_VALUE(NGHTTP2_ERR_INVALID_HEADER_BLOCK);
SAME_VALUE(NGHTTP2_ERR_INVALID_STATE);
SAME_VALUE(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
SAME_VALUE(NGHTTP2_ERR_FRAME_SIZE_ERROR);
SAME_VALUE(NGHTTP2_ERR_HEADER_COMP);
SAME_VALUE(NGHTTP2_ERR_FLOW_CONTROL);
SAME_VALUE(NGHTTP2_ERR_PAUSE);
SAME_VALUE(NGHTTP2_ERR_DATA_EXIST);
SAME_VALUE(NGHTTP2_ERR_SESSION_CLOSING);
SAME_VALUE(NGHTTP2_ERR_HTTP_HEADER);
SAME_VALUE(NGHTTP2_ERR_HTTP_MESSAGING);
SAME_VALUE(NGHTTP2_ERR_REFUSED_STREAM);
SAME_VALUE(NGHTTP2_ERR_INTERNAL);
SAME_VALUE(NGHTTP2_ERR_CANCEL);
SAME_VALUE(NGHTTP2_ERR_SETTINGS_EXPECTED);
SAME_VALUE(NGHTTP2_ERR_TOO_MANY_SETTINGS);
SAME_VALUE(NGHTTP2_ERR_NOMEM);
SAME_VALUE(NGHTTP2_ERR_CALLBACK_FAILURE);
SAME_VALUE(NGHTTP2_ERR_BAD_CLIENT_MAGIC);
SAME_VALUE(NGHTTP2_ERR_FLOODED);
SAME_VALUE(NGHTTP2_ERR_TOO_MANY_CONTINUATIONS);
SAME_VALUE(NGHTTP2_DATA);
SAME_VALUE(NGHTTP2_HEADERS);
SAME_VALUE(NGHTTP2_PRIORITY);
SAME_VALUE(NGHTTP2_RST_STREAM);
SAME_VALUE(NGHTTP2_SETTINGS);
SAME_VALUE(NGHTTP2_PUSH_PROMISE);
SAME_VALUE(NGHTTP2_PING);
SAME_VALUE(NGHTTP2_GOAWAY);
SAME_VALUE(NGHTTP2_WINDOW_UPDATE);
SAME_VALUE(NGHTTP2_CONTINUATION);
SAME_VALUE(NGHTTP2_ALTSVC);
SAME_VALUE(NGHTTP2_ORIGIN);
SAME_VALUE(NGHTTP2_PRIORITY_UPDATE);
SAME_VALUE(NGHTTP2_FLAG_NONE);
SAME_VALUE(NGHTTP2_FLAG_END_STREAM);
SAME_VALUE(NGHTTP2_FLAG_ACK);
SAME_VALUE(NGHTTP2_FLAG_END_HEADERS);
SAME_VALUE(NGHTTP2_FLAG_PADDED);
SAME_VALUE(NGHTTP2_FLAG_PRIORITY);
SAME_VALUE(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE);
SAME_VALUE(NGHTTP2_SETTINGS_ENABLE_PUSH);
SAME_VALUE(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
SAME_VALUE(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
SAME_VALUE(NGHTTP2_SETTINGS_MAX_FRAME_SIZE);
SAME_VALUE(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);
SAME_VALUE(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL);
SAME_VALUE(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES);
SAME_VALUE(NGHTTP2_NO_ERROR);
SAME_VALUE(NGHTTP2_PROTOCOL_ERROR);
SAME_VALUE(NGHTTP2_INTERNAL_ERROR);
SAME_VALUE(NGHTTP2_FLOW_CONTROL_ERROR);
SAME_VALUE(NGHTTP2_SETTINGS_TIMEOUT);
SAME_VALUE(NGHTTP2_STREAM_CLOSED);
SAME_VALUE(NGHTTP2_FRAME_SIZE_ERROR);
SAME_VALUE(NGHTTP2_REFUSED_STREAM);
SAME_VALUE(NGHTTP2_CANCEL);
SAME_VALUE(NGHTTP2_COMPRESSION_ERROR);
SAME_VALUE(NGHTTP2_CONNECT_ERROR);
SAME_VALUE(NGHTTP2_ENHANCE_YOUR_CALM);
SAME_VALUE(NGHTTP2_INADEQUATE_SECURITY);
SAME_VALUE(NGHTTP2_HTTP_1_1_REQUIRED);
SAME_VALUE(NGHTTP2_NV_FLAG_NONE);
SAME_VALUE(NGHTTP2_NV_FLAG_NO_INDEX);
SAME_VALUE(NGHTTP2_NV_FLAG_NO_COPY_NAME);
SAME_VALUE(NGHTTP2_NV_FLAG_NO_COPY_VALUE);
SAME_VALUE(NGHTTP2_DATA_FLAG_NONE);
SAME_VALUE(NGHTTP2_DATA_FLAG_EOF);
SAME_VALUE(NGHTTP2_DATA_FLAG_NO_END_STREAM);
SAME_VALUE(NGHTTP2_DATA_FLAG_NO_COPY);
SAME_VALUE(NGHTTP2_HCAT_REQUEST);
SAME_VALUE(NGHTTP2_HCAT_RESPONSE);
SAME_VALUE(NGHTTP2_HCAT_PUSH_RESPONSE);
SAME_VALUE(NGHTTP2_HCAT_HEADERS);

TEST(EveryFunctionHasTheTypeOfTheLibrarysHeader) {
#define SLUICE_NEEDED_FUNCTION(name) \
  CHECK_EQ(NameOf<decltype(ours::name)>(), NameOf<decltype(::name)>());
#include "http2/nghttp2_functions.inc"
#undef SLUICE_NEEDED_FUNCTION
}

TEST(EveryFunctionIsInTheLibrary) {
  CHECK(!sluice::http2::NeededFunctions().empty());
  CHECK(sluice::NamesOfMissing(sluice::http2::NeededFunctions()).empty());
}

TEST(AMissingFunctionIsNamed) {
  const int here = 0;
  const sluice::NeededFunction needed[] = {
      {"nghttp2_is_here", &here}, {"nghttp2_is_gone", nullptr}, {"nghttp2_is_gone_too", nullptr}};
  const auto missing = sluice::NamesOfMissing(needed);
  CHECK_EQ(missing.size(), 2);
  CHECK_EQ(missing.front(), "nghttp2_is_gone");
  CHECK_EQ(missing.back(), "nghttp2_is_gone_too");
}

}  // namespace
