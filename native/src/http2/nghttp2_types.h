// Constants, structs and callbacks of nghttp2's binary interface: see http2/nghttp2.h.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

struct nghttp2_session;
struct nghttp2_session_callbacks;
struct nghttp2_option;
struct nghttp2_rcbuf;

// Results below zero. What is not named here ends the session all the same: see nghttp2_is_fatal.
enum nghttp2_error {
  NGHTTP2_ERR_INVALID_ARGUMENT = -501,
  NGHTTP2_ERR_WOULDBLOCK = -504,
  NGHTTP2_ERR_PROTO = -505,
  NGHTTP2_ERR_INVALID_FRAME = -506,
  NGHTTP2_ERR_EOF = -507,
  NGHTTP2_ERR_DEFERRED = -508,
  NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE = -509,
  NGHTTP2_ERR_STREAM_CLOSED = -510,
  NGHTTP2_ERR_STREAM_CLOSING = -511,
  NGHTTP2_ERR_STREAM_SHUT_WR = -512,
  NGHTTP2_ERR_INVALID_STREAM_ID = -513,
  NGHTTP2_ERR_INVALID_STREAM_STATE = -514,
  NGHTTP2_ERR_DEFERRED_DATA_EXIST = -515,
  NGHTTP2_ERR_START_STREAM_NOT_ALLOWED = -516,
  NGHTTP2_ERR_GOAWAY_ALREADY_SENT = -517,
  NGHTTP2_ERR_INVALID_HEADER_BLOCK = -518,
  NGHTTP2_ERR_INVALID_STATE = -519,
  NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE = -521,
  NGHTTP2_ERR_FRAME_SIZE_ERROR = -522,
  NGHTTP2_ERR_HEADER_COMP = -523,
  NGHTTP2_ERR_FLOW_CONTROL = -524,
  NGHTTP2_ERR_PAUSE = -526,
  NGHTTP2_ERR_DATA_EXIST = -529,
  NGHTTP2_ERR_SESSION_CLOSING = -530,
  NGHTTP2_ERR_HTTP_HEADER = -531,
  NGHTTP2_ERR_HTTP_MESSAGING = -532,
  NGHTTP2_ERR_REFUSED_STREAM = -533,
  NGHTTP2_ERR_INTERNAL = -534,
  NGHTTP2_ERR_CANCEL = -535,
  NGHTTP2_ERR_SETTINGS_EXPECTED = -536,
  NGHTTP2_ERR_TOO_MANY_SETTINGS = -537,
  NGHTTP2_ERR_NOMEM = -901,
  NGHTTP2_ERR_CALLBACK_FAILURE = -902,
  NGHTTP2_ERR_BAD_CLIENT_MAGIC = -903,
  NGHTTP2_ERR_FLOODED = -904,
  NGHTTP2_ERR_TOO_MANY_CONTINUATIONS = -905,
};

// RFC 9113 section 6.
enum nghttp2_frame_type {
  NGHTTP2_DATA = 0x00,
  NGHTTP2_HEADERS = 0x01,
  NGHTTP2_PRIORITY = 0x02,
  NGHTTP2_RST_STREAM = 0x03,
  NGHTTP2_SETTINGS = 0x04,
  NGHTTP2_PUSH_PROMISE = 0x05,
  NGHTTP2_PING = 0x06,
  NGHTTP2_GOAWAY = 0x07,
  NGHTTP2_WINDOW_UPDATE = 0x08,
  NGHTTP2_CONTINUATION = 0x09,
  NGHTTP2_ALTSVC = 0x0a,
  NGHTTP2_ORIGIN = 0x0c,
  NGHTTP2_PRIORITY_UPDATE = 0x10,
};

enum nghttp2_flag {
  NGHTTP2_FLAG_NONE = 0x00,
  NGHTTP2_FLAG_END_STREAM = 0x01,
  NGHTTP2_FLAG_ACK = 0x01,
  NGHTTP2_FLAG_END_HEADERS = 0x04,
  NGHTTP2_FLAG_PADDED = 0x08,
  NGHTTP2_FLAG_PRIORITY = 0x20,
};

// RFC 9113 section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1.
enum nghttp2_settings_id {
  NGHTTP2_SETTINGS_HEADER_TABLE_SIZE = 0x01,
  NGHTTP2_SETTINGS_ENABLE_PUSH = 0x02,
  NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS = 0x03,
  NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE = 0x04,
  NGHTTP2_SETTINGS_MAX_FRAME_SIZE = 0x05,
  NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE = 0x06,
  NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL = 0x08,
  NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES = 0x09,
};

// RFC 9113 section 7.
enum nghttp2_error_code {
  NGHTTP2_NO_ERROR = 0x00,
  NGHTTP2_PROTOCOL_ERROR = 0x01,
  NGHTTP2_INTERNAL_ERROR = 0x02,
  NGHTTP2_FLOW_CONTROL_ERROR = 0x03,
  NGHTTP2_SETTINGS_TIMEOUT = 0x04,
  NGHTTP2_STREAM_CLOSED = 0x05,
  NGHTTP2_FRAME_SIZE_ERROR = 0x06,
  NGHTTP2_REFUSED_STREAM = 0x07,
  NGHTTP2_CANCEL = 0x08,
  NGHTTP2_COMPRESSION_ERROR = 0x09,
  NGHTTP2_CONNECT_ERROR = 0x0a,
  NGHTTP2_ENHANCE_YOUR_CALM = 0x0b,
  NGHTTP2_INADEQUATE_SECURITY = 0x0c,
  NGHTTP2_HTTP_1_1_REQUIRED = 0x0d,
};

// Of a field that is sent: never indexed; name or value stays where it is until the frame is made.
enum nghttp2_nv_flag {
  NGHTTP2_NV_FLAG_NONE = 0x00,
  NGHTTP2_NV_FLAG_NO_INDEX = 0x01,
  NGHTTP2_NV_FLAG_NO_COPY_NAME = 0x02,
  NGHTTP2_NV_FLAG_NO_COPY_VALUE = 0x04,
};

// What a data source says of the bytes that it gave: the last; the last, but trailers follow;
// send_data_callback writes them itself.
enum nghttp2_data_flag {
  NGHTTP2_DATA_FLAG_NONE = 0x00,
  NGHTTP2_DATA_FLAG_EOF = 0x01,
  NGHTTP2_DATA_FLAG_NO_END_STREAM = 0x02,
  NGHTTP2_DATA_FLAG_NO_COPY = 0x04,
};

enum nghttp2_headers_category {
  NGHTTP2_HCAT_REQUEST = 0,
  NGHTTP2_HCAT_RESPONSE = 1,
  NGHTTP2_HCAT_PUSH_RESPONSE = 2,
  NGHTTP2_HCAT_HEADERS = 3,
};

struct nghttp2_vec {
  uint8_t* base;
  size_t len;
};

struct nghttp2_nv {
  uint8_t* name;
  uint8_t* value;
  size_t namelen;
  size_t valuelen;
  uint8_t flags;
};

struct nghttp2_settings_entry {
  int32_t settings_id;
  uint32_t value;
};

struct nghttp2_priority_spec {
  int32_t stream_id;
  int32_t weight;
  uint8_t exclusive;
};

// Frames as callbacks get them.
struct nghttp2_frame_hd {
  size_t length;
  int32_t stream_id;
  uint8_t type;
  uint8_t flags;
  uint8_t reserved;
};

struct nghttp2_data {
  nghttp2_frame_hd hd;
  size_t padlen;
};

struct nghttp2_headers {
  nghttp2_frame_hd hd;
  size_t padlen;
  nghttp2_priority_spec pri_spec;
  nghttp2_nv* nva;
  size_t nvlen;
  nghttp2_headers_category cat;
};

struct nghttp2_priority {
  nghttp2_frame_hd hd;
  nghttp2_priority_spec pri_spec;
};

struct nghttp2_rst_stream {
  nghttp2_frame_hd hd;
  uint32_t error_code;
};

struct nghttp2_settings {
  nghttp2_frame_hd hd;
  size_t niv;
  nghttp2_settings_entry* iv;
};

struct nghttp2_push_promise {
  nghttp2_frame_hd hd;
  size_t padlen;
  nghttp2_nv* nva;
  size_t nvlen;
  int32_t promised_stream_id;
  uint8_t reserved;
};

struct nghttp2_ping {
  nghttp2_frame_hd hd;
  uint8_t opaque_data[8];
};

struct nghttp2_goaway {
  nghttp2_frame_hd hd;
  int32_t last_stream_id;
  uint32_t error_code;
  uint8_t* opaque_data;
  size_t opaque_data_len;
  uint8_t reserved;
};

struct nghttp2_window_update {
  nghttp2_frame_hd hd;
  int32_t window_size_increment;
  uint8_t reserved;
};

struct nghttp2_extension {
  nghttp2_frame_hd hd;
  void* payload;
};

union nghttp2_frame {
  nghttp2_frame_hd hd;
  nghttp2_data data;
  nghttp2_headers headers;
  nghttp2_priority priority;
  nghttp2_rst_stream rst_stream;
  nghttp2_settings settings;
  nghttp2_push_promise push_promise;
  nghttp2_ping ping;
  nghttp2_goaway goaway;
  nghttp2_window_update window_update;
  nghttp2_extension ext;
};

union nghttp2_data_source {
  int fd;
  void* ptr;
};

// @returns bytes written to `buf`, or with NO_COPY to be written; NGHTTP2_ERR_DEFERRED: none yet,
// nghttp2_session_resume_data asks again
typedef ssize_t (*nghttp2_data_source_read_callback)(nghttp2_session* session, int32_t stream_id,
                                                     uint8_t* buf, size_t length,
                                                     uint32_t* data_flags,
                                                     nghttp2_data_source* source, void* user_data);

struct nghttp2_data_provider {
  nghttp2_data_source source;
  nghttp2_data_source_read_callback read_callback;
};

// Callbacks, registered with functions of http2/nghttp2.h. 0: go on.
typedef int (*nghttp2_on_begin_frame_callback)(nghttp2_session* session, const nghttp2_frame_hd* hd,
                                               void* user_data);
typedef int (*nghttp2_on_begin_headers_callback)(nghttp2_session* session,
                                                 const nghttp2_frame* frame, void* user_data);
typedef int (*nghttp2_on_header_callback)(nghttp2_session* session, const nghttp2_frame* frame,
                                          const uint8_t* name, size_t namelen, const uint8_t* value,
                                          size_t valuelen, uint8_t flags, void* user_data);
typedef int (*nghttp2_on_header_callback2)(nghttp2_session* session, const nghttp2_frame* frame,
                                           nghttp2_rcbuf* name, nghttp2_rcbuf* value, uint8_t flags,
                                           void* user_data);
// Of a field that the library refuses; NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE resets the stream.
typedef int (*nghttp2_on_invalid_header_callback)(nghttp2_session* session,
                                                  const nghttp2_frame* frame, const uint8_t* name,
                                                  size_t namelen, const uint8_t* value,
                                                  size_t valuelen, uint8_t flags, void* user_data);
typedef int (*nghttp2_on_frame_recv_callback)(nghttp2_session* session, const nghttp2_frame* frame,
                                              void* user_data);
typedef int (*nghttp2_on_invalid_frame_recv_callback)(nghttp2_session* session,
                                                      const nghttp2_frame* frame,
                                                      int lib_error_code, void* user_data);
typedef int (*nghttp2_on_data_chunk_recv_callback)(nghttp2_session* session, uint8_t flags,
                                                   int32_t stream_id, const uint8_t* data,
                                                   size_t len, void* user_data);
typedef int (*nghttp2_on_stream_close_callback)(nghttp2_session* session, int32_t stream_id,
                                                uint32_t error_code, void* user_data);
typedef int (*nghttp2_before_frame_send_callback)(nghttp2_session* session,
                                                  const nghttp2_frame* frame, void* user_data);
typedef int (*nghttp2_on_frame_send_callback)(nghttp2_session* session, const nghttp2_frame* frame,
                                              void* user_data);
typedef int (*nghttp2_on_frame_not_send_callback)(nghttp2_session* session,
                                                  const nghttp2_frame* frame, int lib_error_code,
                                                  void* user_data);
typedef ssize_t (*nghttp2_send_callback)(nghttp2_session* session, const uint8_t* data,
                                         size_t length, int flags, void* user_data);
// Writes a DATA frame of a source that said NGHTTP2_DATA_FLAG_NO_COPY: `framehd` is its 9 bytes.
typedef int (*nghttp2_send_data_callback)(nghttp2_session* session, nghttp2_frame* frame,
                                          const uint8_t* framehd, size_t length,
                                          nghttp2_data_source* source, void* user_data);
typedef ssize_t (*nghttp2_data_source_read_length_callback)(nghttp2_session* session,
                                                            uint8_t frame_type, int32_t stream_id,
                                                            int32_t session_remote_window_size,
                                                            int32_t stream_remote_window_size,
                                                            uint32_t remote_max_frame_size,
                                                            void* user_data);
typedef int (*nghttp2_error_callback2)(nghttp2_session* session, int lib_error_code,
                                       const char* msg, size_t len, void* user_data);
