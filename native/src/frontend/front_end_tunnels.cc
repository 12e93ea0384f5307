// Exchanges whose connections are switched (101): how they become tunnels, and how those end.
#include <string>
#include <utility>

#include "frontend/client_session.h"
#include "frontend/front_end.h"
#include "frontend/tls_carrier.h"

namespace sluice::frontend {

namespace {

ClientEnd EndOfTunnel(TunnelEnd end) {
  switch (end) {
    case TunnelEnd::kClean:
      return ClientEnd::kDelivered;
    case TunnelEnd::kClientReset:
      return ClientEnd::kGone;
    case TunnelEnd::kIdle:
      return ClientEnd::kTunnelIdle;
    case TunnelEnd::kEndpointReset:
    case TunnelEnd::kClosed:
      break;
  }
  return ClientEnd::kBrokenOff;
}

}  // namespace

void FrontEnd::OnSwitched(upstream::Exchange* from, const http1::ResponseHead& head,
                          std::string_view head_input, upstream::SwitchedConnection switched,
                          std::string_view received, uint64_t elapsed_us) {
  ClientExchange* const exchange = FindAttempting(*from);
  if (exchange == nullptr) return;  // both sockets close
  ClientConnection* const connection = exchange->connection;
  exchange->holder = Holder::kNobody;
  TunnelStart tunnel;
  if (exchange->is_http2 && !OpenStreamTunnel(exchange, head, head_input, &tunnel))
    return ReportFault(exchange, http1::RequestFault::kNoTunnel);
  exchange->stage = Stage::kTunnel;
  exchange->has_head_gone = true;
  exchange->status = head.status;
  exchange->first_byte_us = elapsed_us;
  exchange->connect_us = from->connect_us;
  exchange->progress |= event_flag::kFirstByte | event_flag::kTunnel;
  if (from->is_reused) exchange->progress |= event_flag::kReused;
  Notice(exchange);
  const bool takes_reports = TakesReports(*from);
  exchange->facts = FactsOf(head_input, head, takes_reports);
  std::string start;
  std::unique_ptr<Unread> unread;
  if (!exchange->is_http2) {
    start = exchange->out.view();  // an interim response that waits
    const size_t start_bytes = start.size();
    http1::AnswerOptions options;
    options.added_lines = exchange->added_lines();
    options.hsts_line = exchange->edition->settings.hsts_line;
    if (takes_reports) options.dropped_field = kReportField;
    start.resize(start_bytes + head.head_bytes + http1::kAnswerExtraBytes +
                 options.added_lines.size());
    start.resize(start_bytes +
                 http1::WriteSwitchingHead(head_input, head, options, start.data() + start_bytes));
    exchange->out.Free();
    exchange->bytes_to_client += start.size() - start_bytes;
    bytes_to_clients_ += start.size() - start_bytes;
    connection->state = ConnectionState::kTunnel;
    connection->deadline_ms = UINT64_MAX;
    connection->ListHook<ConnectionReadyTag>::Unlink();
    loop_->Unwatch(connection->fd.get());
    tunnel.client = std::move(connection->fd);
    // It goes on with all that lies in it, read or unsent; the carrier would end it.
    if (!connection->is_plain())
      tunnel.client_tls = static_cast<TlsCarrier&>(*connection->carrier).TakeChannel();
    connection->carrier.reset();
    tunnel.is_client_unix = connection->is_unix;
    unread = std::move(connection->unread);
    if (unread != nullptr) tunnel.from_client = unread->bytes.view();
    tunnel.head = start;
  }
  tunnel.endpoint = std::move(switched.fd);
  tunnel.endpoint_tls = std::move(switched.tls);
  tunnel.from_endpoint = received;
  tunnel.idle_timeout_ms = exchange->edition->settings.tunnel_idle_timeout_ms;
  tunnels_.Open(exchange->id, std::move(tunnel));
  // A tunnel may stay for days, and needs it no more.
  LeaveEdition(exchange);
  OnConnectionReady(connection);
}

void FrontEnd::OnTunnelEnded(int32_t id, TunnelEnd end, uint64_t bytes_from_client,
                             uint64_t bytes_to_client) {
  ClientExchange* const exchange = FindOpen(id);
  if (exchange == nullptr) return;
  exchange->progress |= event_flag::kEndpointDone;
  exchange->must_close = true;
  exchange->is_body_complete = true;
  if (exchange->is_http2) {
    if (WaitsForStream(exchange, end)) return;
    const bool has_left = exchange->connection->is_broken();
    return Finish(exchange, has_left ? ClientEnd::kGone : EndOfTunnel(end));
  }
  exchange->bytes_from_client += bytes_from_client;
  exchange->bytes_to_client += bytes_to_client;
  bytes_from_clients_ += bytes_from_client;
  bytes_to_clients_ += bytes_to_client;
  exchange->connection->signs = 0;  // its socket has gone with the tunnel
  Finish(exchange, EndOfTunnel(end));
}

}  // namespace sluice::frontend
