package server

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

type configWriter struct {
	strings.Builder
}

func (w *configWriter) text(key, value string) {
	if value != "" {
		fmt.Fprintf(w, "%s: %q\n", key, value)
	}
}

func (w *configWriter) number(key string, value int64) {
	if value != 0 {
		fmt.Fprintf(w, "%s: %d\n", key, value)
	}
}

func (w *configWriter) flag(key string, value bool) {
	if value {
		fmt.Fprintf(w, "%s: true\n", key)
	}
}

func (w *configWriter) duration(key string, value time.Duration) {
	if value != 0 {
		fmt.Fprintf(w, "%s: %q\n", key, value.String())
	}
}

func (w *configWriter) seconds(key string, value float64) {
	if value != 0 {
		fmt.Fprintf(w, "%s: %f\n", key, value)
	}
}

func (w *configWriter) list(key string, values []string) {
	if len(values) != 0 {
		quoted := make([]string, len(values))
		for i, value := range values {
			quoted[i] = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(w, "%s: [%s]\n", key, strings.Join(quoted, ", "))
	}
}

// configuration writes the options in nats-server's language.
func configuration(o *Options, resolver *MemAccResolver) (string, error) {
	w := &configWriter{}
	w.text("server_name", o.ServerName)
	w.text("host", o.Host)
	w.number("port", int64(o.Port))
	w.text("client_advertise", o.ClientAdvertise)
	w.number("https_port", int64(o.HTTPSPort))
	w.text("pid_file", o.PidFile)
	w.flag("no_system_account", o.NoSystemAccount)
	w.flag("no_header_support", o.NoHeaderSupport)
	w.number("max_connections", int64(o.MaxConn))
	w.number("max_subscriptions", int64(o.MaxSubs))
	w.number("max_control_line", int64(o.MaxControlLine))
	w.number("max_payload", int64(o.MaxPayload))
	w.number("max_pending", o.MaxPending)
	w.duration("ping_interval", o.PingInterval)
	w.number("ping_max", int64(o.MaxPingsOut))
	w.duration("write_deadline", o.WriteDeadline)
	w.list("server_tags", o.Tags)
	w.text("no_auth_user", o.NoAuthUser)
	w.flag("jetstream", o.JetStream)
	w.authorization(o)
	if err := w.tls(o); err != nil {
		return "", err
	}
	w.cluster(o)
	w.operator(o, resolver)
	return w.String(), nil
}

func (w *configWriter) authorization(o *Options) {
	if o.Username == "" && o.Authorization == "" && len(o.Users) == 0 && len(o.Nkeys) == 0 && o.AuthTimeout == 0 {
		return
	}
	w.WriteString("authorization {\n")
	w.text("user", o.Username)
	w.text("password", o.Password)
	w.text("token", o.Authorization)
	w.seconds("timeout", o.AuthTimeout)
	if len(o.Users) != 0 || len(o.Nkeys) != 0 {
		w.WriteString("users: [\n")
		for _, user := range o.Users {
			w.WriteString("{\n")
			w.text("user", user.Username)
			w.text("password", user.Password)
			w.permissions(user.Permissions)
			w.WriteString("}\n")
		}
		for _, user := range o.Nkeys {
			w.WriteString("{\n")
			w.text("nkey", user.Nkey)
			w.permissions(user.Permissions)
			w.WriteString("}\n")
		}
		w.WriteString("]\n")
	}
	w.WriteString("}\n")
}

func (w *configWriter) permissions(p *Permissions) {
	if p == nil {
		return
	}
	w.WriteString("permissions {\n")
	w.subjects("publish", p.Publish)
	w.subjects("subscribe", p.Subscribe)
	if p.Response != nil {
		fmt.Fprintf(w, "allow_responses { max: %d, expires: %q }\n", p.Response.MaxMsgs, p.Response.Expires.String())
	}
	w.WriteString("}\n")
}

func (w *configWriter) subjects(key string, p *SubjectPermission) {
	if p == nil {
		return
	}
	fmt.Fprintf(w, "%s {\n", key)
	w.list("allow", p.Allow)
	w.list("deny", p.Deny)
	w.WriteString("}\n")
}

func (w *configWriter) tls(o *Options) error {
	if o.TLSConfig == nil {
		return nil
	}
	tlsFilesLock.Lock()
	files, known := tlsFiles[o.TLSConfig]
	tlsFilesLock.Unlock()
	if !known {
		return fmt.Errorf("the TLS configuration is not GenTLSConfig's: a process cannot be told of it")
	}
	w.WriteString("tls {\n")
	w.text("cert_file", files.CertFile)
	w.text("key_file", files.KeyFile)
	w.text("ca_file", files.CaFile)
	w.flag("verify", files.Verify || o.TLSVerify)
	w.seconds("timeout", o.TLSTimeout)
	w.WriteString("}\n")
	return nil
}

func (w *configWriter) cluster(o *Options) {
	if o.Cluster.Port == 0 {
		return
	}
	w.WriteString("cluster {\n")
	w.text("name", o.Cluster.Name)
	w.text("host", o.Cluster.Host)
	w.number("port", int64(o.Cluster.Port))
	routes := make([]string, len(o.Routes))
	for i, route := range o.Routes {
		routes[i] = route.String()
	}
	w.list("routes", routes)
	w.WriteString("}\n")
}

func (w *configWriter) operator(o *Options, resolver *MemAccResolver) {
	w.list("trusted_keys", o.TrustedKeys)
	if resolver == nil {
		return
	}
	w.WriteString("resolver: MEMORY\nresolver_preload: {\n")
	names := make([]string, 0, len(resolver.accounts))
	for name := range resolver.accounts {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		w.text(name, resolver.accounts[name])
	}
	w.WriteString("}\n")
}
