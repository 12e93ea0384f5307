// The engine's HTTP/1.1 front end: takes clients' connections over, reads their requests, sends
// them through the upstream client as TypeScript decides, and writes the answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/socket.h"
#include "frontend/client_connection.h"
#include "frontend/client_exchange.h"
#include "frontend/client_session.h"
#include "frontend/event.h"
#include "frontend/front_end_batch.h"
#include "frontend/front_end_bounds.h"
#include "frontend/front_end_sink.h"
#include "frontend/front_end_stats.h"
#include "frontend/http_date.h"
#include "frontend/listener_edition.h"
#include "frontend/listener_settings.h"
#include "frontend/outgoing_parts.h"
#include "frontend/request_key.h"
#include "frontend/tunnels.h"
#include "http1/answer_head.h"
#include "l4/accepted.h"
#include "l4/mailbox.h"
#include "log/access_lines.h"
#include "tls/handshake_gate.h"
#include "upstream/response_sink.h"
#include "upstream/upstream_client.h"

namespace sluice::frontend {

/// One per worker, on one thread, inside one EventLoop, beside the worker's UpstreamClient.
/// src/engine/front-end.ts says what it does; the calls here are those of its FrontEnd.
///
/// The order of a turn: the upstream client has read responses and handed them on, so that what
/// ended is told first; connections out of the mailbox; connections that epoll said something
/// about, each once; timers; then events go to the sink in batches, and what it decides is begun at
/// once. Requests are read into the arena and stay there until they are decided.
class FrontEnd final : public l4::AcceptedSink,
                       private LoopTask,
                       private Pollable,
                       private ConnectionOwner,
                       private upstream::ResponseSink,
                       private http2::ServerSessionSink,
                       private TunnelSink {
 public:
  /// Most that headBytes of a listener may be.
  static constexpr size_t kMaxHeadBytes = 64 * 1024;
  /// Each upstream, split and affinity of a plan has one or two.
  static constexpr size_t kMostKeys = 65536;

  /// @param client of the same loop; outlives the front end's last use, and was made before it
  /// @param mailbox may be nullptr: then connections come through OnAccepted only
  FrontEnd(EventLoop* loop, upstream::UpstreamClient* client, FrontEndMemory memory,
           FrontEndSink* sink, std::shared_ptr<l4::Mailbox> mailbox, FrontEndIdentity identity);
  ~FrontEnd();

  /// Why the mailbox cannot be watched (an errno); 0: all is well.
  int start_error() const { return start_error_; }

  /// Makes a listener known, or changes its settings for requests to come, on connections that it
  /// has, too. @param listener 0..65535
  void OpenListener(int32_t listener, ListenerSettings settings);
  /// Connections of a listener close where they wait for their next request, and answers in flight
  /// close theirs; so does that of the first request of a connection that has had none. Until it is
  /// opened again. Idempotent; listeners that are not known are ignored, as in CutListener.
  void CloseListener(int32_t listener);
  /// Ends at once what a listener still has: exchanges are broken off.
  void CutListener(int32_t listener);
  void Drain();

  // Numbers of exchanges may be any; nothing happens where none is open.
  bool Decide(int32_t exchange, int32_t slot, uint64_t exchange_timeout_ms, int32_t profile);
  bool Pass(int32_t exchange);
  bool Hedge(int32_t exchange, int32_t slot, int32_t profile, uint64_t timeout_ms);
  void ReleaseHedge(int32_t exchange);
  bool Answer(int32_t exchange, std::string_view head, std::string_view body, bool must_close);
  void BreakOff(int32_t exchange);
  std::optional<std::string> Header(int32_t exchange, std::string_view name) const;
  /// @param value nothing: removes the field @returns false where the name is no token or one that
  /// is not the caller's (framing, Host, hop-by-hop), or the value holds a control
  bool SetHeader(int32_t exchange, std::string_view name, std::optional<std::string_view> value);
  /// @param value nothing: takes the field away @returns false where it cannot be added
  /// (AddedFields::IsAllowed), or would be one too many
  bool AddResponseField(int32_t exchange, std::string_view name,
                        std::optional<std::string_view> value);
  std::string Describe(int32_t exchange) const;
  /// @returns nullptr: none was shown, or the exchange is over
  const tls::PeerCertificate* ClientCertificate(int32_t exchange) const;

  /// Makes a key known. @returns its number, or -1 when there are kMostKeys
  int32_t OpenKey(KeySource source);
  size_t keys() const { return keys_.size(); }
  /// While Header may be called. HOT. @param key of OpenKey @returns bits of key_answer
  int32_t HashKey(int32_t exchange, int32_t key, uint64_t* hash);
  /// The same as text; nothing: the request has no such key.
  std::optional<std::string> KeyText(int32_t exchange, int32_t key);

  /// Where requests that come from now on are logged; nullptr: nowhere.
  void LogTo(std::shared_ptr<log::AccessLines> lines) { access_lines_ = std::move(lines); }
  /// Writes the line of an exchange whose request came since LogTo, while Describe tells of it. HOT
  /// (bench/micro/engine/access-lines.bench.ts).
  /// @returns as AccessLines::Write; kNothingLogged where there is no such exchange
  int64_t WriteAccessLine(int32_t exchange, int64_t now_ms);
  /// X-Forwarded-For of a believed client's request that is logged; empty: there is none.
  std::string_view ForwardedFor(int32_t exchange) const;
  static constexpr int64_t kNothingLogged = -2;

  FrontEndStats stats() const;
  /// Of a listener, since start.
  ListenerCounts counts(int32_t listener) const;
  /// Editions of listeners that only requests under way still have; for tests.
  size_t former_editions() const { return former_editions_.size(); }
  /// Exchanges are open: the process should not end by itself.
  bool is_busy() const { return exchanges_.in_use() > 0; }
  /// Ends everything without events. Idempotent; the loop forgets the front end.
  void Close();
  bool is_closed() const { return is_closed_; }

  // AcceptedSink, for an acceptor of this worker's own.
  void OnAccepted(l4::Accepted* accepted, size_t count) override;
  size_t Room() const override { return static_cast<size_t>(kMaxConnections) - open_connections_; }
  void OnShortage(int error_number) override { sink_->OnShortage(error_number); }

 private:
  // LoopTask, Pollable (the mailbox's wake-up), ConnectionOwner
  bool HasWork() const override;
  void OnReady() override;
  void OnTurnEnd() override;
  void OnEvents(uint32_t /*epoll_events*/) override {}  // OnReady looks into the mailbox
  void OnConnectionReady(ClientConnection* connection) override;
  void OnConnectionTimer(ClientConnection* connection, uint64_t now_ms) override;
  // ResponseSink
  upstream::SinkVerdict OnInterim(upstream::Exchange* from, const http1::ResponseHead& head,
                                  std::string_view head_input) override;
  upstream::SinkVerdict OnResponse(upstream::Exchange* from,
                                   const upstream::ResponsePart& part) override;
  upstream::SpliceOutcome OnSpliceable(upstream::Exchange* from, int fd,
                                       uint64_t left_bytes) override;
  void OnSwitched(upstream::Exchange* from, const http1::ResponseHead& head,
                  std::string_view head_input, upstream::SwitchedConnection switched,
                  std::string_view received, uint64_t elapsed_us) override;
  void OnFailed(upstream::Exchange* from) override;
  void OnDrained(upstream::Exchange* from) override;
  // TunnelSink
  void OnTunnelEnded(int32_t id, TunnelEnd end, uint64_t bytes_from_client,
                     uint64_t bytes_to_client) override;

  // ServerSessionSink
  http2::ServerStream* OnRequest(http2::ServerSession* session,
                                 const http2::RequestHead& head) override;
  void OnData(http2::ServerSession* session, http2::ServerStream* of, std::string_view bytes,
              bool is_last) override;
  void OnRequestEnd(http2::ServerSession* session, http2::ServerStream* of) override;
  void OnTaken(http2::ServerSession* session, http2::ServerStream* of) override;
  void OnReset(http2::ServerSession* session, http2::ServerStream* of) override;

  const ListenerEdition& ListenerOf(const ClientConnection& connection) const {
    return *listeners_[connection.listener];
  }
  /// @returns nullptr where it is not known
  ListenerEdition* FindListener(int32_t listener) const;
  /// What is on its way to TypeScript, or back, speaks of routes that are not there any more.
  void ForgetRoutes(int32_t listener);
  void LeaveEdition(ClientExchange* exchange);
  static bool IsIdle(const ClientConnection& connection);
  void GiveExchange(ClientExchange* exchange);
  ClientExchange* FindOpen(int32_t exchange) const;
  /// Of one whose head can be read. @returns empty: it has none; else valid until the next call
  std::string_view FindKeyOf(const ClientExchange& exchange, const KeySource& source);
  /// @returns nullptr: the attempt counts no more and is to be released
  ClientExchange* FindAttempting(const upstream::Exchange& from) const;

  // Connections begin.
  void OpenConnection(l4::Accepted&& accepted, bool came_by_mail);
  void Drop(UniqueFd fd, bool came_by_mail);
  void ReadPreface(ClientConnection* connection);
  void AskForAdmission(ClientConnection* connection);
  void Admit(ClientConnection* connection, int32_t trust_bits);

  // TLS.
  void BeginTls(ClientConnection* connection, std::string_view received);
  void ReadHello(ClientConnection* connection);
  void AcceptTls(ClientConnection* connection, std::string_view received);
  void Handshake(ClientConnection* connection);
  void EndHandshake(ClientConnection* connection);
  void RefuseUnencrypted(ClientConnection* connection, std::string_view received);
  void FailTls(ClientConnection* connection, tls::TlsFailure failure);
  void FailTls(ClientConnection* connection, ClientEnd end, tls::HandshakeEnd counted);
  void LeaveGate(ClientConnection* connection);
  static const tls::PeerCertificate& CertificateOf(const ClientConnection& connection);
  static constexpr size_t kMostTlsEdits = 3;
  /// @param edits room for kMostTlsEdits @returns how many it wrote
  static size_t PutTlsEdits(const ClientExchange& exchange, http1::FieldEdit* edits);
  /// A field that the proxy says of the client's certificate. @returns whether it is one
  static bool FindTlsField(const ClientExchange& exchange, std::string_view name,
                           std::optional<std::string>* value);
  static void NoteEarliness(ClientExchange* exchange);

  // Reading.
  void HandleReady(ClientConnection* connection);
  static bool HasLeft(const ClientConnection& connection);
  IoResult Read(ClientConnection* connection, char* into, size_t size);
  IoResult ReadCarried(ClientConnection* connection, char* into, size_t size);
  static bool MustSayEnd(const ClientConnection& connection);
  void DropInput(ClientConnection* connection);
  bool HasRoomToRead() const;
  void ReadRequest(ClientConnection* connection);
  void ParseUnread(ClientConnection* connection);
  void KeepUnread(ClientConnection* connection, std::string_view bytes);
  bool BeginExchange(ClientConnection* connection, const http1::ClientRequest& request);
  void BeginFaulty(ClientConnection* connection, http1::RequestFault fault, std::string_view head);
  ClientExchange* TakeExchange(ClientConnection* connection);
  LoggedRequest* LogRequest(ClientExchange* exchange);
  /// @param out room for kRequestIdBytes, where the text may lie
  std::string_view RequestIdText(const ClientExchange& exchange, char* out) const;
  void PutRequest(ClientExchange* exchange);
  /// The client has asked for a name by SNI, and for an authority that is neither that name nor one
  /// of the certificate it was shown (RFC 9110 section 7.4).
  static bool IsMisdirected(const ClientStream& stream, std::string_view host);
  bool IsInArena(std::string_view text) const;
  bool WantsBody(const ClientExchange& exchange) const;
  void ReadBody(ClientConnection* connection);
  size_t Feed(ClientExchange* exchange, char* data, size_t size);
  void ExpectBody(ClientExchange* exchange);
  void ReportFault(ClientExchange* exchange, http1::RequestFault fault);

  void HandOn(ClientExchange* exchange, std::string_view body, size_t used_bytes);

  // Sessions of HTTP/2.
  bool MayBeSession(const ClientConnection& connection, std::string_view bytes) const;
  /// @returns false: these bytes are no beginning of HTTP/2
  bool TakesPreface(ClientConnection* connection, std::string_view bytes);
  void BeginSession(ClientConnection* connection, std::string_view received);
  bool IsSessionReady(const ClientConnection& connection) const;
  void ReadSession(ClientConnection* connection);
  void HeedSession(ClientConnection* connection);
  void LeaveSession(ClientSession* session, ClientEnd end);
  void WriteLater(ClientSession* session);
  void WriteSessions();
  void WriteSession(ClientSession* session);
  void ArmSession(ClientConnection* connection);
  void OnSessionTimer(ClientConnection* connection, uint64_t now_ms);
  void EndSession(ClientConnection* connection);
  void DetachStreams(ClientConnection* connection, ClientEnd end);
  void CloseStreams();

  // Streams.
  ClientStream* TakeStream(ClientSession* session, int32_t stream_id);
  void GiveStream(ClientStream* stream);
  void RefuseStream(ClientStream* stream);
  static int32_t WireNumber(const ClientConnection& connection);
  /// @returns the stream, or nullptr where no exchange is left for it: it has been given back
  http2::ServerStream* BegunOrGiven(ClientStream* stream);
  http2::ServerStream* BeginStream(ClientStream* stream, std::string_view head);
  http1::ClientRequestLimits LimitsOf(const ClientConnection& connection) const;
  void FeedStream(ClientExchange* exchange, std::string_view bytes, bool is_last);
  void ReadStreamBody(ClientStream* stream);
  void Used(ClientStream* stream, size_t bytes);
  bool IsStreamReady(const ClientStream& stream) const;
  void HandleStream(ClientStream* stream);
  void PutToStream(ClientExchange* exchange, const http2::Outgoing& outgoing);
  void PassOnToStream(ClientExchange* exchange, const upstream::ResponsePart& part,
                      bool takes_reports);
  /// Frames of its answer have gone out since the last look.
  bool HasStreamMoved(ClientExchange* exchange);
  void EndStream(ClientStream* stream, const ClientExchange& exchange, ClientEnd end);
  void LingerStream(ClientStream* stream);
  void LeaveStream(ClientStream* stream);
  void DropUnread(ClientStream* stream);
  bool OpenStreamTunnel(ClientExchange* exchange, const http1::ResponseHead& head,
                        std::string_view head_input, TunnelStart* tunnel);
  /// Extended CONNECT, answered 2xx without a switch: over HTTP/2 that would say that a tunnel is
  /// open (RFC 8441 section 5).
  static bool LacksTunnel(const ClientExchange& exchange, int status);
  void MoveTunnel(ClientStream* stream);
  void EndMovedTunnel(ClientStream* stream);
  /// A tunnel has ended, but what it said last has not gone out.
  bool WaitsForStream(ClientExchange* exchange, TunnelEnd end);

  // Sending requests.
  void StartAttempt(ClientExchange* exchange, int32_t slot, uint64_t timeout_ms, int32_t profile);
  size_t BuildHead(ClientExchange* exchange);
  void HoldHead(ClientExchange* exchange);
  void PutOff(ClientExchange* exchange);

  // Attempts that end, are asked about, or run beside each other.
  void ReportFailure(ClientExchange* exchange, int32_t failure, int32_t flags);
  void ReportEnded(ClientExchange* exchange, std::unique_ptr<EndedAttempt> ended);
  upstream::SinkVerdict Ask(ClientExchange* exchange, const upstream::Exchange& from,
                            const upstream::ResponsePart& part);
  void PassAsked(ClientExchange* exchange);
  void Win(ClientExchange* exchange, int32_t attempt_id);
  void ReleaseAttempts(ClientExchange* exchange);
  void ReleaseLosers();

  // Writing answers.
  void PassOn(ClientExchange* exchange, const upstream::ResponsePart& part, bool takes_reports);
  /// Whether reports of load are the proxy's, not the client's.
  static bool TakesReports(const upstream::Exchange& from);
  bool MustClose(const ClientExchange& exchange) const;
  void WriteHead(ClientExchange* exchange, const upstream::ResponsePart& part, bool takes_reports,
                 OutgoingParts* parts);
  bool Put(ClientExchange* exchange, const OutgoingParts& parts);
  bool PutPipe(ClientExchange* exchange);
  /// @returns false: the connection is broken
  bool FlushCarrier(ClientConnection* connection);
  void Flush(ClientConnection* connection);

  // Ending.
  void Finish(ClientExchange* exchange, ClientEnd end);
  void NextRequest(ClientConnection* connection);
  void WaitForRequest(ClientConnection* connection);
  void EndAfterAnswer(ClientConnection* connection, bool is_request_unread);
  void Linger(ClientConnection* connection);
  void CloseConnection(ClientConnection* connection, ClientEnd end, bool with_reset);
  void GiveConnection(ClientConnection* connection);

  // Time.
  void ArmAt(ClientConnection* connection, uint64_t deadline_ms);
  void ArmExchange(ClientConnection* connection);
  void OnExchangeTimer(ClientConnection* connection, uint64_t now_ms);
  bool IsBodyTooSlow(const ClientExchange& exchange, uint64_t now_ms) const;

  // Reporting.
  void Notice(ClientExchange* exchange);
  void WriteNotices();
  bool WriteNoticesOf(ClientExchange* exchange);
  bool PutProgress(ClientExchange* exchange, int32_t bits);
  bool PutEnded(ClientExchange* exchange);
  bool PutAsked(ClientExchange* exchange);
  void PutFacts(int32_t* words, std::unique_ptr<EndpointFacts> facts);
  bool HasRoomFor(const EndpointFacts* facts) const;
  void PutConnectionEvent(ClientConnection* connection);
  void PutFault(int32_t* words, const TlsFault& fault);
  void Deliver();
  void Act(size_t place);

  EventLoop* loop_;
  upstream::UpstreamClient* client_;
  FrontEndSink* sink_;
  std::shared_ptr<l4::Mailbox> mailbox_;
  FrontEndIdentity identity_;
  std::shared_ptr<log::AccessLines> access_lines_;
  FrontEndBatch batch_;
  Tunnels tunnels_;
  l4::PipePool pipes_;
  HttpDate date_;
  int start_error_ = 0;
  bool is_closed_ = false;
  bool is_draining_ = false;
  /// The upstream client is calling: nothing of it may be called.
  bool is_in_sink_ = false;

  std::vector<std::unique_ptr<ListenerEdition>> listeners_;        // by listener: the latest ones
  std::vector<std::unique_ptr<ListenerEdition>> former_editions_;  // that have exchanges
  std::vector<ListenerCounts> counts_;                             // by listener
  tls::HandshakeGate gate_;
  std::vector<KeySource> keys_;
  std::string key_scratch_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  std::vector<int32_t> free_connections_;
  std::vector<std::unique_ptr<ClientStream>> streams_;
  std::vector<ClientStream*> free_streams_;
  ClientExchangeTable exchanges_;
  /// Told as finished in the batch that is being filled or told: free when it has been told.
  std::vector<ClientExchange*> told_;
  /// Attempts with the upstream client whose exchange has another one: to be released.
  std::vector<int32_t> losers_;
  IntrusiveList<ClientConnection, ConnectionReadyTag> ready_;
  IntrusiveList<ClientConnection, ConnectionNoticeTag> connection_notices_;
  IntrusiveList<ClientExchange, ExchangeNoticeTag> notices_;
  /// Their frames go out when the turn ends.
  IntrusiveList<ClientSession, SessionWriteTag> to_write_;
  http2::AnswerFields answer_fields_;
  std::vector<l4::Accepted> mail_;
  http1::ClientRequestParser parser_;  // of heads that come whole
  std::unique_ptr<char[]> window_;     // kBodyWindowBytes
  std::unique_ptr<char[]> head_out_;   // an answer's head

  size_t open_connections_ = 0;
  int32_t ended_mail_ = 0;  // not yet told to the mailbox
  uint32_t request_number_ = 0;
  uint64_t accepted_ = 0;
  uint64_t requests_ = 0;
  uint64_t dropped_ = 0;
  uint64_t bytes_from_clients_ = 0;
  uint64_t bytes_to_clients_ = 0;
  size_t sessions_ = 0;
};

}  // namespace sluice::frontend
