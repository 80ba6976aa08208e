#include "config/manifest.hpp"

#include <gtest/gtest.h>
#include <string>

namespace hawser::config {
namespace {

// "subject | NAME=value NAME=?(origin) | from …" a line.
std::string read(std::string_view text) {
  const Result<std::vector<Container>> containers = parse_manifest(text, "m");
  if (!containers) return error_id(containers.error().code) + " " + containers.error().doing;
  std::string out;
  for (const Container& c : *containers) {
    out += c.subject;
    for (const Variable& v : c.variables) {
      out += " " + v.name + "=" + (v.value ? std::string(v.value->reveal()) : "?(" + v.origin + ")");
    }
    for (const EnvironmentFrom& from : c.from) out += " from " + from.origin;
    out += '\n';
  }
  return out;
}

TEST(Manifest, finds_the_containers_of_every_kind_of_workload) {
  const std::string spec =
      "{initContainers: [{name: i}], containers: [{name: c, env: [{name: A, value: x}]}], ephemeralContainers: [{name: "
      "e}]}";
  const std::pair<std::string, std::string> kinds[] = {
      {"Pod", "spec: " + spec},
      {"PodTemplate", "template: {spec: " + spec + "}"},
      {"Deployment", "spec: {template: {spec: " + spec + "}}"},
      {"StatefulSet", "spec: {template: {spec: " + spec + "}}"},
      {"DaemonSet", "spec: {template: {spec: " + spec + "}}"},
      {"ReplicaSet", "spec: {template: {spec: " + spec + "}}"},
      {"Job", "spec: {template: {spec: " + spec + "}}"},
      {"CronJob", "spec: {jobTemplate: {spec: {template: {spec: " + spec + "}}}}"},
  };
  for (const auto& [kind, body] : kinds) {
    EXPECT_EQ(read("kind: " + kind + "\nmetadata: {name: n, namespace: s}\n" + body),
              "m: " + kind + " s/n, init container i\nm: " + kind + " s/n, container c A=x\nm: " + kind +
                  " s/n, ephemeral container e\n");
  }
}

TEST(Manifest, reads_documents_lists_and_passes_other_kinds_over) {
  EXPECT_EQ(read("kind: ConfigMap\ndata: {a: b}\n---\n---\nkind: List\nitems:\n- {kind: Pod, metadata: {generateName: "
                 "g-}, spec: {containers: [{name: a}]}}\n"
                 "- {kind: Service}\n---\nkind: PodList\nitems: [{kind: Pod, spec: {containers: [{name: b}]}}]\n"),
            "m: Pod g-*, container a\nm: Pod , container b\n");
}

TEST(Manifest, counts_values_from_elsewhere_as_set_and_not_known) {
  EXPECT_EQ(read(R"(kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: c
    envFrom:
    - secretRef: {name: nats-env}
    - prefix: P_
      configMapRef: {name: web}
    env:
    - {name: A, valueFrom: {secretKeyRef: {name: nats, key: token}}}
    - {name: B, valueFrom: {configMapKeyRef: {name: web, key: url}}}
    - {name: C, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: D}
    - {name: E, value: 4222}
    - {name: F, value: ""}
)"),
            "m: Pod p, container c A=?(secret nats, key token) B=?(config map web, key url) C=?(fieldRef) D= E=4222 F= "
            "from secret nats-env from config map web, prefix P_\n");
}

TEST(Manifest, expands_references_as_the_kubelet_does) {
  EXPECT_EQ(read(R"(kind: Pod
spec:
  containers:
  - name: c
    env:
    - {name: HOST, value: nats}
    - {name: SECRET, valueFrom: {secretKeyRef: {name: n, key: k}}}
    - {name: A, value: "tls://$(HOST):4222"}
    - {name: B, value: "$$(HOST) $(NOBODY) $(HOST $"}
    - {name: C, value: "tls://u:$(SECRET)@h"}
)"),
            "m: Pod , container c HOST=nats SECRET=?(secret n, key k) A=tls://nats:4222 B=$(HOST) $(NOBODY) $(HOST $ "
            "C=?(a reference to SECRET)\n");
}

TEST(Manifest, understands_anchors_and_merges) {
  EXPECT_EQ(read("kind: Pod\nx-env: &env [{name: A, value: 1}]\nx-c: &c {name: c, env: *env}\nspec: {containers: [*c, "
                 "{<<: *c, name: d}]}\n"),
            "m: Pod , container c A=1\nm: Pod , container d A=1\n");
}

TEST(Manifest, keeps_the_line_of_each_variable) {
  const Result<std::vector<Container>> containers =
      parse_manifest("kind: Pod\nspec:\n  containers:\n  - name: c\n    env:\n    - name: A\n      value: x\n", "m");
  ASSERT_TRUE(containers.has_value());
  EXPECT_EQ(containers->at(0).variables.at(0).place.text(), "m:7:14");
}

TEST(Manifest, refuses_what_is_no_manifest_with_its_place) {
  const std::pair<const char*, const char*> cases[] = {
      {"kind: Pod\nspec: [a]\n", "CFG-703 m:2:7: Pod: expected a map under \"spec\""},
      {"kind: Deployment\nspec: {}\n", "CFG-703 m:2:7: Deployment: expected a map under \"template\""},
      {"kind: Pod\nspec: {containers: {name: a}}\n", "CFG-703 m:2:20: \"containers\" must be a list, and is a map"},
      {"kind: Pod\nspec: {containers: [a]}\n", "CFG-703 m:2:21: a container must be a map"},
      {"kind: Pod\nspec: {containers: [{name: a, env: {A: b}}]}\n",
       "CFG-703 m:2:36: \"env\" must be a list, and is a map"},
      {"kind: Pod\nspec: {containers: [{name: a, env: [{value: b}]}]}\n",
       "CFG-703 m:2:37: an entry of \"env\" must be a map with a name"},
      {"kind: Pod\nspec: {containers: [{name: a, env: [{name: A, value: [b]}]}]}\n",
       "CFG-703 m:2:54: the value of A must be a text, and is a list"},
      {"- a\n", "CFG-703 m:1:1: expected a Kubernetes object, found a list"},
      {"kind: Deployment\nname: {{ .Values.name }}\n", "CFG-701 m:2"},
      {"kind: [", "CFG-701 m:"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string said = read(text);
    EXPECT_TRUE(said.starts_with(expected)) << text << " -> " << said;
  }
}

TEST(Manifest, stops_at_references_that_double_each_time) {
  std::string text =
      "kind: Pod\nspec:\n  containers:\n  - name: c\n    env:\n    - {name: V0, value: xxxxxxxxxxxxxxxx}\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "$(V" + std::to_string(i - 1) + ")";
    text += "    - {name: V" + std::to_string(i) + ", value: \"" + before + before + "\"}\n";
  }
  const Result<std::vector<Container>> containers = parse_manifest(text, "m");
  ASSERT_TRUE(containers.has_value());
  EXPECT_FALSE(containers->at(0).variables.back().value.has_value());
}

}  // namespace
}  // namespace hawser::config
