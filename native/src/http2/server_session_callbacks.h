// How nghttp2 tells a server session what has come, and asks it for what is to go out.
#pragma once

#include "http2/server_session.h"

namespace sluice::http2 {

struct ServerSession::Callbacks {
  /// The caller gives it back with nghttp2_session_callbacks_del.
  static nghttp2_session_callbacks* Make();
  /// Of every answer with a body: asks for what lies with its stream.
  static nghttp2_data_provider BodyProvider();
};

}  // namespace sluice::http2
