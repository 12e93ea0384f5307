// Checks a request head that TypeScript built before it is sent to an endpoint.
#pragma once

#include <string_view>

namespace sluice::http1 {

/// Says whether these bytes are a request line and field lines that every recipient reads the same
/// way, so that no value which came from a client can begin a line of its own (request splitting).
///
/// Wanted: `method SP target SP HTTP/1.[01] CRLF`, then `name: value CRLF` lines, no empty line.
/// Method and names are tokens, the target has no control and no space, values have no control but
/// HTAB; bytes above 0x7f are allowed in both (raw UTF-8 in targets is common, and not ours to
/// change). No line folds, no space before a colon. What the fields mean is not judged here.
///
/// HOT: once per attempt. Runs on the worker's thread.
bool IsSendableRequestHead(std::string_view head);

}  // namespace sluice::http1
