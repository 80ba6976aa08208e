#include "admin/page_look.hpp"

#include <array>
#include <openssl/evp.h>

namespace hawser::admin {

const std::string_view kPageStyle = R"(
:root { --ink: #1b2733; --soft: #5b6b7a; --line: #dde3e9; --paper: #f4f6f8; --card: #fff;
        --good: #1a7f4b; --warning: #9a6200; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4eaf0; --soft: #93a3b3; --line: #2b3743; --paper: #11181f; --card: #18212a;
          --good: #4fc286; --warning: #e0a63c; --bad: #f2766d; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem; background: var(--paper); color: var(--ink);
       font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; }
h1 { font-size: 1.1rem; margin: 0; color: var(--soft); font-weight: 600; }
h2 { font-size: .95rem; margin: 0 0 .5rem; }
.headline { font-size: 1.5rem; font-weight: 600; margin: .1rem 0 1.25rem; overflow-wrap: anywhere; }
.headline::before { content: "\25CF" / ""; margin-right: .5rem; }
.sections { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1rem;
            margin-bottom: 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
progress { display: block; width: 100%; height: .5rem; margin: .45rem 0 .1rem; accent-color: var(--good); }
section.wide { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { vertical-align: top; }
td.long { white-space: normal; min-width: 15rem; overflow-wrap: anywhere; }
.good { color: var(--good); } .warning { color: var(--warning); } .bad { color: var(--bad); }
nav ul { list-style: none; margin: 0; padding: 0; display: grid; gap: .1rem 1.5rem;
         grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
nav a { display: block; padding: .35rem 0; text-decoration: none; }
nav b { font-weight: 600; text-decoration: underline; text-underline-offset: .2em; }
nav span { display: block; color: var(--soft); font-size: .85rem; }
p.more, footer { color: var(--soft); font-size: .85rem; }
a { color: inherit; }
section:focus-visible, a:focus-visible { outline: 2px solid var(--good); outline-offset: 2px; }
@media (max-width: 30rem) { body { padding: .75rem; } .headline { font-size: 1.2rem; } }
)";

const std::string_view kPageScript = R"(
(() => {
  const state = document.getElementById("state");
  const put = (old, fresh) => {
    if (old.className !== fresh.className) old.className = fresh.className;
    if (old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
  };
  const take = (html) => {
    const shown = document.getElementById("parts");
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("parts");
    const ids = (parts) => Array.from(parts.querySelectorAll("[data-part]"), (part) => part.id);
    if (ids(shown).join() === ids(fresh).join()) {
      for (const id of ids(fresh)) put(document.getElementById(id), fresh.querySelector("#" + id));
    } else {
      shown.innerHTML = fresh.innerHTML;
    }
    document.title = fresh.dataset.title;
  };
  const path = location.pathname.replace(/\/?$/, "/") + "events";
  const events = new EventSource(path);
  let heard = false;
  events.onopen = () => { heard = true; state.textContent = "live"; };
  events.onmessage = (event) => take(event.data);
  events.onerror = () => {
    if (events.readyState !== EventSource.CLOSED) {
      state.textContent = "no answer; what is shown is of " + new Date().toLocaleTimeString();
    } else {
      setTimeout(() => location.reload(), heard ? 1000 : 5000);
    }
  };
})();
)";

const std::string& content_security_policy() {
  static const std::string policy = [] {
    std::array<unsigned char, 32> digest{};
    EVP_Digest(kPageScript.data(), kPageScript.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    std::array<unsigned char, 45> text{};
    EVP_EncodeBlock(text.data(), digest.data(), digest.size());
    return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; script-src 'sha256-" +
           std::string(text.begin(), text.end() - 1) + "'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
  }();
  return policy;
}

}  // namespace hawser::admin
