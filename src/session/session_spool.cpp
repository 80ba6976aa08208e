// The part of a session that puts publishes into its spool while there is no link, and takes to its link again once
// what is queued has reached the server.
//
//   live --no link for outage_after--> spooling (away) --link--> spooling (behind) --clear--> live
//
// Behind, publishes still go over the disk, until so little is left before them that they wait in memory for it to be
// gone: that is where catching up ends.
#include "base/log.hpp"
#include "session/session.hpp"
#include "wire/writer.hpp"

namespace hawser::session {

// What waits in memory goes to the spool, and what is published from now on goes behind it.
void Session::spill(Spool::Why why) {
  if (spool_ == nullptr) {
    return;
  }
  if (!spooling_) {
    spooling_ = true;
    log::debug("publishes go to the disk queue", {{"client", profile_.name}, {"bytes", backlog_.bytes()}});
  }
  if (!backlog_.empty()) {
    const std::string frames = backlog_.take();
    const std::size_t taken = spool_->put(frames, why);
    backlog_.append(std::string_view(frames).substr(taken));
  }
  if (backlog_.empty()) {
    for (Flush& flush : flushes_) {
      flush.mark = std::max(flush.mark, spool_->mark());
    }
    if (up() && !held_ && !flushes_.empty()) {
      link_of(publish_side_)->ping(PingPurpose::flush, flushes_.back().token);  // they waited for the backlog
    }
  }
}

void Session::spool(std::string_view frames) {
  const bool waits_in_memory = !backlog_.empty() || (up() && spool_->nearly_clear());
  const std::size_t taken = waits_in_memory ? 0 : spool_->put(frames, outage_ ? Spool::Why::away : Spool::Why::behind);
  backlog_.append(frames.substr(taken));
}

void Session::spool_progressed() {
  if (spooling_ && !backlog_.empty() && (outage_ || (up() && !spool_->nearly_clear()))) {
    spill(outage_ ? Spool::Why::away : Spool::Why::behind);  // it was full
  }
  go_live_when_clear();
  answer_flushes();
  relieve();
}

Session::Dropped Session::drop_waiting() {
  Dropped dropped;
  const std::string frames = backlog_.take();
  wire::Parser parser(wire::Peer::client);
  wire::Frame frame;
  for (std::string_view rest = frames; !rest.empty() && parser.next(rest, frame) == wire::Parser::Status::frame;) {
    if (dropped.count++ == 0) {
      dropped.subject = frame.subject;
    }
    rest.remove_prefix(frame.raw.size());
  }
  return dropped;
}

void Session::put_away() {
  if (spool_ != nullptr && !stopped_) {
    for (const Link* link : {next_.get(), live_.get()}) {
      if (link != nullptr) {
        backlog_.put_back(*link);
      }
    }
    stop();
    spill(Spool::Why::behind);
  }
}

void Session::go_live_when_clear() {
  if (!spooling_ || !up() || !spool_->clear() || live_timer_.armed()) {
    return;
  }
  if (spool_->server_id() != live_->info().server_id && !spool_->server_id().empty()) {
    live_timer_.start(2 * options_.splice.settle_far);
  } else {
    go_live();
  }
}

void Session::go_live() {
  if (!spooling_ || !up() || !spool_->clear()) {
    return;
  }
  spooling_ = false;
  log::debug("publishes go to the server again", {{"client", profile_.name}});
  pump();
  relieve();
}

bool Session::count_local(std::string_view sid) {
  Subscription* const subscription = subscriptions_.find(sid);
  if (subscription == nullptr) {
    return false;
  }
  ++subscription->elsewhere;
  if (subscriptions_.count(sid) == Subscriptions::Counted::last) {
    user_.on_subscription_ended(sid);
    if (splice_) {
      SpliceActions actions;
      splice_->on_unsubscribe(sid, actions);
      perform(std::move(actions));
    } else if (up()) {
      std::string line;
      wire::append_unsub(line, sid);
      live_->send(line);
    }
  }
  return true;
}

}  // namespace hawser::session
