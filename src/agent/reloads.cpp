#include "agent/reloads.hpp"

#include "base/log.hpp"
#include "posture/gather.hpp"

namespace hawser::agent {

Reloads::Reloads(session::AccessPtr access, std::shared_ptr<const posture::Settings> settings,
                 tls::MaterialPtr material, Metrics& metrics, Fresh fresh)
    : settings_(std::move(settings)),
      metrics_(metrics),
      fresh_(std::move(fresh)),
      access_(std::move(access)),
      material_(std::move(material)) {}

Reloads::~Reloads() { watcher_.reset(); }

Result<std::unique_ptr<Reloads>> Reloads::start(session::AccessPtr access,
                                                std::shared_ptr<const posture::Settings> settings,
                                                tls::MaterialPtr material, const tls::WatchOptions& watch,
                                                Metrics& metrics, Fresh fresh) {
  std::vector<std::string> files = posture::credential_files(*access->decision);
  std::unique_ptr<Reloads> reloads(
      new Reloads(std::move(access), std::move(settings), material, metrics, std::move(fresh)));
  Reloads* self = reloads.get();
  tls::WatchEvents events;
  events.published = [self](tls::MaterialPtr fresh_material) { self->on_material(std::move(fresh_material)); };
  events.rejected = [self](const Error& error) { self->reject(error); };
  events.incomplete = [self](const Error& error) {
    log::write(log::Level::info, "certificate and key do not match yet; waiting for the other half", error);
    self->tell(std::unexpected(error));
  };
  events.file_changed = [self](const std::string& path) { self->on_credential(path); };
  events.unchanged = [self] { self->on_unchanged(); };
  auto watcher = tls::Watcher::start(std::move(material), std::move(files), watch, std::move(events));
  if (!watcher) {
    return std::unexpected(std::move(watcher.error()));
  }
  reloads->watcher_ = std::move(*watcher);
  return reloads;
}

void Reloads::now() { watcher_->reload_now(); }

void Reloads::after_refusal() {
  after_refusal_ = true;
  watcher_->reload_now();
}

Result<std::string> Reloads::now_and_wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const std::uint64_t before = outcomes_;
  watcher_->reload_now();
  if (!told_.wait_for(lock, at_most, [&] { return outcomes_ != before; })) {
    return fail(Errc::reload_unfinished, "after " + std::to_string(at_most.count()) + " ms");
  }
  return outcome_;
}

void Reloads::on_material(tls::MaterialPtr fresh) {
  const tls::MaterialPtr before = material();
  const bool same_leaf = fresh->has_certificate() && before->has_certificate() &&
                         fresh->chain().front().sha256 == before->chain().front().sha256;
  const std::string what = !fresh->has_certificate() || same_leaf
                               ? "CA file, CRL or chain"
                               : "certificate " + fresh->chain().front().sha256.substr(0, 16) + " of " +
                                     fresh->chain().front().subject;
  renew(current()->decision, std::move(fresh), what);
}

void Reloads::on_credential(const std::string& path) {
  auto decision = std::make_shared<const posture::Decision>(posture::evaluate(
      *settings_, posture::gather(*settings_, wall_now()), wall_now(), posture::Purpose::start_up));
  for (const posture::Finding& finding : decision->findings) {
    if (finding.severity == posture::Severity::error) {
      reject(posture::to_error(finding));
      return;
    }
  }
  renew(std::move(decision), material(), "credential " + path);
}

void Reloads::renew(std::shared_ptr<const posture::Decision> decision, tls::MaterialPtr material, std::string what) {
  const session::AccessPtr before = current();
  auto access = session::make_access(std::move(decision), material, before->generation + 1);
  if (!access) {
    reject(access.error());
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    access_ = *access;
    material_ = material;
    last_rejection_.clear();
  }
  metrics_.reload_ok.add();
  log::info("new tls material or auth credential taken up", {{"what", what}, {"credential", (*access)->credential->printable()}});
  fresh_(*access, material);
  tell("taken up: " + what);
}

void Reloads::reject(const Error& error) {
  metrics_.reload_rejected.add();
  log::write(log::Level::warn, "new tls material or auth credential rejected; the old one stays in use", error,
             {{"hint", info(error.code).hint}});
  {
    const std::lock_guard lock(mutex_);
    last_rejection_ = error.message();
  }
  tell(std::unexpected(error));
}

void Reloads::on_unchanged() {
  if (!after_refusal_) {
    metrics_.reload_unchanged.add();
    log::info("reload: nothing has changed");
  }
  tell(std::string("nothing has changed"));
}

void Reloads::tell(Result<std::string> outcome) {
  const std::lock_guard lock(mutex_);
  after_refusal_ = false;
  outcome_ = std::move(outcome);
  ++outcomes_;
  told_.notify_all();
}

session::AccessPtr Reloads::current() const {
  const std::lock_guard lock(mutex_);
  return access_;
}

tls::MaterialPtr Reloads::material() const {
  const std::lock_guard lock(mutex_);
  return material_;
}

std::string Reloads::last_rejection() const {
  const std::lock_guard lock(mutex_);
  return last_rejection_;
}

}  // namespace hawser::agent
