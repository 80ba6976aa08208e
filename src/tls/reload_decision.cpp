#include "tls/reload_decision.hpp"

#include <algorithm>
#include <utility>

namespace hawser::tls {

ReloadDecision::ReloadDecision(const WatchOptions& options, std::string id_in_use, Time now)
    : options_(options), in_use_(std::move(id_in_use)), seen_(in_use_), next_poll_(now + options.poll) {}

void ReloadDecision::changed(Time now) {
  if (!options_.automatic) {
    return;
  }
  if (!first_change_) {
    first_change_ = now;
  }
  last_change_ = now;
}

std::optional<Time> ReloadDecision::next_look() const {
  if (asked_) {
    return Time::min();
  }
  if (!options_.automatic) {
    return std::nullopt;
  }
  Time next = next_poll_;
  if (first_change_) {
    // A directory that never gets quiet is looked at all the same.
    next = std::min({next, *last_change_ + options_.quiet, *first_change_ + options_.longest_wait});
  } else if (incomplete_since_) {
    next = std::min(next, *incomplete_since_ + options_.incomplete_for);
  }
  return next;
}

ReloadDecision::Looked ReloadDecision::looked(Time now, std::string id, bool files_differ) {
  answer_due_ = std::exchange(asked_, false);
  const bool quiet =
      first_change_ && (now >= *last_change_ + options_.quiet || now >= *first_change_ + options_.longest_wait);
  const bool settled = answer_due_ || quiet;
  const bool silent_change = files_differ || (id != seen_ && id != in_use_);
  seen_ = std::move(id);
  next_poll_ = now + options_.poll;
  if (!settled && (silent_change || first_change_)) {
    // The poll found it first, or met it half written: wait until it is quiet, as for any change.
    if (!first_change_) {
      changed(now);
    }
    return {};
  }
  first_change_.reset();
  last_change_.reset();

  Looked result;
  result.take_files = settled && files_differ;
  if (seen_ == in_use_) {
    const bool was_wrong = refused_for_.has_value() || incomplete_since_.has_value();
    settle_nothing_new();
    result.report_unchanged = was_wrong || (answer_due_ && !files_differ);
    return result;
  }
  // What was refused is tried again at each look: it may have become valid (its time has come, the token is there).
  result.load = true;
  return result;
}

void ReloadDecision::settle_nothing_new() {
  incomplete_since_.reset();
  incomplete_reported_.clear();
  refused_.clear();
  refused_for_.reset();
}

ReloadDecision::Report ReloadDecision::loaded(Time now, std::optional<Errc> failure) {
  if (!failure) {
    in_use_ = seen_;
    settle_nothing_new();
    return Report::publish;
  }
  // A file that is gone for a moment is a half that is not written yet.
  if (*failure == Errc::tls_not_complete || *failure == Errc::tls_file_unreadable) {
    return wait_for_other_half(now);
  }
  incomplete_since_.reset();
  incomplete_reported_.clear();
  return refuse(*failure);
}

ReloadDecision::Report ReloadDecision::wait_for_other_half(Time now) {
  if (!incomplete_since_) {
    incomplete_since_ = now;
  }
  if (now - *incomplete_since_ >= options_.incomplete_for) {
    incomplete_since_ = now;  // goes on waiting, and looking
    return refuse(Errc::tls_not_complete);
  }
  if (incomplete_reported_ == seen_ && !answer_due_) {
    return Report::nothing;
  }
  incomplete_reported_ = seen_;
  return Report::incomplete;
}

ReloadDecision::Report ReloadDecision::refuse(Errc failure) {
  if (refused_ == seen_ && refused_for_ == failure && !answer_due_) {
    return Report::nothing;
  }
  refused_ = seen_;
  refused_for_ = failure;
  return Report::reject;
}

}  // namespace hawser::tls
