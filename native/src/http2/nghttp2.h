// What we use of nghttp2, the HTTP/2 library inside the node binary, declared here because Node's
// headers leave it out.
//
// Facts of its binary interface, as of nghttp2 1.52 and later; native/test/http2/nghttp2_test.cc
// compares them with the library's own header. Functions are those of the first generation (ssize_t
// where 1.60 added a `2` of its own type), which all versions have. Whoever calls one that is
// missing here declares it here and names it in nghttp2_functions.inc.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "http2/nghttp2_types.h"

// Weak: the addon loads on a Node that lacks one, and says so (http2/nghttp2_needs.h).
#define SLUICE_QUOTED(text) #text
#define SLUICE_PRAGMA(text) _Pragma(SLUICE_QUOTED(text))
#define SLUICE_NEEDED_FUNCTION(name) SLUICE_PRAGMA(weak name)
#include "http2/nghttp2_functions.inc"
#undef SLUICE_NEEDED_FUNCTION
#undef SLUICE_PRAGMA
#undef SLUICE_QUOTED

// The test declares all of it a second time, in a namespace beside the library's own header.
#ifndef SLUICE_NGHTTP2_IS_COMPARED
extern "C" {
#endif

int nghttp2_session_callbacks_new(nghttp2_session_callbacks** callbacks_ptr);
void nghttp2_session_callbacks_del(nghttp2_session_callbacks* callbacks);
void nghttp2_session_callbacks_set_on_begin_frame_callback(nghttp2_session_callbacks* cbs,
                                                           nghttp2_on_begin_frame_callback call);
void nghttp2_session_callbacks_set_on_begin_headers_callback(
    nghttp2_session_callbacks* cbs, nghttp2_on_begin_headers_callback call);
void nghttp2_session_callbacks_set_on_header_callback(nghttp2_session_callbacks* cbs,
                                                      nghttp2_on_header_callback call);
void nghttp2_session_callbacks_set_on_header_callback2(nghttp2_session_callbacks* cbs,
                                                       nghttp2_on_header_callback2 call);
void nghttp2_session_callbacks_set_on_invalid_header_callback(
    nghttp2_session_callbacks* cbs, nghttp2_on_invalid_header_callback call);
void nghttp2_session_callbacks_set_on_frame_recv_callback(nghttp2_session_callbacks* cbs,
                                                          nghttp2_on_frame_recv_callback call);
void nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
    nghttp2_session_callbacks* cbs, nghttp2_on_invalid_frame_recv_callback call);
void nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
    nghttp2_session_callbacks* cbs, nghttp2_on_data_chunk_recv_callback call);
void nghttp2_session_callbacks_set_on_stream_close_callback(nghttp2_session_callbacks* cbs,
                                                            nghttp2_on_stream_close_callback call);
void nghttp2_session_callbacks_set_before_frame_send_callback(
    nghttp2_session_callbacks* cbs, nghttp2_before_frame_send_callback call);
void nghttp2_session_callbacks_set_on_frame_send_callback(nghttp2_session_callbacks* cbs,
                                                          nghttp2_on_frame_send_callback call);
void nghttp2_session_callbacks_set_on_frame_not_send_callback(
    nghttp2_session_callbacks* cbs, nghttp2_on_frame_not_send_callback call);
void nghttp2_session_callbacks_set_send_callback(nghttp2_session_callbacks* cbs,
                                                 nghttp2_send_callback call);
void nghttp2_session_callbacks_set_send_data_callback(nghttp2_session_callbacks* cbs,
                                                      nghttp2_send_data_callback call);
void nghttp2_session_callbacks_set_data_source_read_length_callback(
    nghttp2_session_callbacks* cbs, nghttp2_data_source_read_length_callback call);
void nghttp2_session_callbacks_set_error_callback2(nghttp2_session_callbacks* cbs,
                                                   nghttp2_error_callback2 call);

int nghttp2_option_new(nghttp2_option** option_ptr);
void nghttp2_option_del(nghttp2_option* option);
// DATA that came is given back by nghttp2_session_consume, not at once.
void nghttp2_option_set_no_auto_window_update(nghttp2_option* option, int val);
void nghttp2_option_set_no_auto_ping_ack(nghttp2_option* option, int val);
void nghttp2_option_set_no_closed_streams(nghttp2_option* option, int val);
void nghttp2_option_set_no_http_messaging(nghttp2_option* option, int val);
void nghttp2_option_set_no_recv_client_magic(nghttp2_option* option, int val);
void nghttp2_option_set_peer_max_concurrent_streams(nghttp2_option* option, uint32_t val);
void nghttp2_option_set_max_reserved_remote_streams(nghttp2_option* option, uint32_t val);
void nghttp2_option_set_max_send_header_block_length(nghttp2_option* option, size_t val);
void nghttp2_option_set_max_deflate_dynamic_table_size(nghttp2_option* option, size_t val);
void nghttp2_option_set_max_outbound_ack(nghttp2_option* option, size_t val);
void nghttp2_option_set_max_settings(nghttp2_option* option, size_t val);
void nghttp2_option_set_max_continuations(nghttp2_option* option, size_t val);
// Resets by the peer: `burst` at once, then `rate` a second (CVE-2023-44487).
void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option* option, uint64_t burst,
                                                uint64_t rate);
void nghttp2_option_set_builtin_recv_extension_type(nghttp2_option* option, uint8_t type);

int nghttp2_session_client_new2(nghttp2_session** session_ptr,
                                const nghttp2_session_callbacks* callbacks, void* user_data,
                                const nghttp2_option* option);
int nghttp2_session_server_new2(nghttp2_session** session_ptr,
                                const nghttp2_session_callbacks* callbacks, void* user_data,
                                const nghttp2_option* option);
void nghttp2_session_del(nghttp2_session* session);
// All of `in` is taken, unless a callback said NGHTTP2_ERR_PAUSE.
ssize_t nghttp2_session_mem_recv(nghttp2_session* session, const uint8_t* in, size_t inlen);
// The bytes belong to the session until the next call; 0: nothing is to be sent.
ssize_t nghttp2_session_mem_send(nghttp2_session* session, const uint8_t** data_ptr);
int nghttp2_session_send(nghttp2_session* session);
// Both 0: the session is over.
int nghttp2_session_want_read(nghttp2_session* session);
int nghttp2_session_want_write(nghttp2_session* session);
int nghttp2_session_resume_data(nghttp2_session* session, int32_t stream_id);
int nghttp2_session_consume(nghttp2_session* session, int32_t stream_id, size_t size);
int nghttp2_session_consume_connection(nghttp2_session* session, size_t size);
int nghttp2_session_consume_stream(nghttp2_session* session, int32_t stream_id, size_t size);
void* nghttp2_session_get_stream_user_data(nghttp2_session* session, int32_t stream_id);
int nghttp2_session_set_stream_user_data(nghttp2_session* session, int32_t stream_id,
                                         void* stream_user_data);
size_t nghttp2_session_get_outbound_queue_size(nghttp2_session* session);
int32_t nghttp2_session_get_effective_recv_data_length(nghttp2_session* session);
int32_t nghttp2_session_get_effective_local_window_size(nghttp2_session* session);
int32_t nghttp2_session_get_stream_effective_recv_data_length(nghttp2_session* session,
                                                              int32_t stream_id);
int32_t nghttp2_session_get_stream_effective_local_window_size(nghttp2_session* session,
                                                               int32_t stream_id);
int32_t nghttp2_session_get_remote_window_size(nghttp2_session* session);
int32_t nghttp2_session_get_stream_remote_window_size(nghttp2_session* session, int32_t stream_id);
int nghttp2_session_get_stream_local_close(nghttp2_session* session, int32_t stream_id);
int nghttp2_session_get_stream_remote_close(nghttp2_session* session, int32_t stream_id);
uint32_t nghttp2_session_get_remote_settings(nghttp2_session* session, nghttp2_settings_id id);
uint32_t nghttp2_session_get_local_settings(nghttp2_session* session, nghttp2_settings_id id);
int nghttp2_session_set_local_window_size(nghttp2_session* session, uint8_t flags,
                                          int32_t stream_id, int32_t window_size);
int32_t nghttp2_session_get_last_proc_stream_id(nghttp2_session* session);
uint32_t nghttp2_session_get_next_stream_id(nghttp2_session* session);
int nghttp2_session_check_request_allowed(nghttp2_session* session);
int nghttp2_session_terminate_session(nghttp2_session* session, uint32_t error_code);
int nghttp2_session_terminate_session2(nghttp2_session* session, int32_t last_stream_id,
                                       uint32_t error_code);

// Frames to send: they are made when mem_send asks for bytes. `pri_spec` is nullptr with us.
int32_t nghttp2_submit_request(nghttp2_session* session, const nghttp2_priority_spec* pri_spec,
                               const nghttp2_nv* nva, size_t nvlen,
                               const nghttp2_data_provider* data_prd, void* stream_user_data);
int nghttp2_submit_response(nghttp2_session* session, int32_t stream_id, const nghttp2_nv* nva,
                            size_t nvlen, const nghttp2_data_provider* data_prd);
int32_t nghttp2_submit_headers(nghttp2_session* session, uint8_t flags, int32_t stream_id,
                               const nghttp2_priority_spec* pri_spec, const nghttp2_nv* nva,
                               size_t nvlen, void* stream_user_data);
int nghttp2_submit_trailer(nghttp2_session* session, int32_t stream_id, const nghttp2_nv* nva,
                           size_t nvlen);
int nghttp2_submit_data(nghttp2_session* session, uint8_t flags, int32_t stream_id,
                        const nghttp2_data_provider* data_prd);
int nghttp2_submit_rst_stream(nghttp2_session* session, uint8_t flags, int32_t stream_id,
                              uint32_t error_code);
int nghttp2_submit_settings(nghttp2_session* session, uint8_t flags,
                            const nghttp2_settings_entry* iv, size_t niv);
int nghttp2_submit_ping(nghttp2_session* session, uint8_t flags, const uint8_t* opaque_data);
int nghttp2_submit_goaway(nghttp2_session* session, uint8_t flags, int32_t last_stream_id,
                          uint32_t error_code, const uint8_t* opaque_data, size_t opaque_data_len);
int nghttp2_submit_shutdown_notice(nghttp2_session* session);
int nghttp2_submit_window_update(nghttp2_session* session, uint8_t flags, int32_t stream_id,
                                 int32_t window_size_increment);

const char* nghttp2_strerror(int lib_error_code);
int nghttp2_is_fatal(int lib_error_code);
nghttp2_vec nghttp2_rcbuf_get_buf(nghttp2_rcbuf* rcbuf);
void nghttp2_rcbuf_incref(nghttp2_rcbuf* rcbuf);
void nghttp2_rcbuf_decref(nghttp2_rcbuf* rcbuf);

#ifndef SLUICE_NGHTTP2_IS_COMPARED
}
#endif
