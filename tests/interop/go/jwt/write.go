package main

import (
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

const (
	account = nkeys.PrefixByteAccount
	op      = nkeys.PrefixByteOperator
	user    = nkeys.PrefixByteUser
	noLimit = jwt.NoLimit
)

const (
	begin = 1700000000
	end   = 4102444800
)

func basics(c *jwt.ClaimsData, name string) {
	c.Name = name + " <&> \"quoted\" ü"
	c.Audience = "somebody"
	c.NotBefore = begin
	c.Expires = end
}

func permissions() jwt.Permissions {
	return jwt.Permissions{
		Pub:  jwt.Permission{Allow: jwt.StringList{"orders.>", "audit.*.in"}, Deny: jwt.StringList{"orders.secret"}},
		Sub:  jwt.Permission{Allow: jwt.StringList{"_INBOX.>", "jobs.* workers"}, Deny: jwt.StringList{"jobs.x"}},
		Resp: &jwt.ResponsePermission{MaxMsgs: 3, Expires: 1500 * time.Millisecond},
	}
}

func limits() jwt.UserPermissionLimits {
	return jwt.UserPermissionLimits{
		Permissions: permissions(),
		Limits: jwt.Limits{
			UserLimits: jwt.UserLimits{
				Src:    jwt.CIDRList{"10.0.0.0/8", "2001:db8::/32"},
				Times:  []jwt.TimeRange{{Start: "08:00:00", End: "18:30:00"}, {Start: "22:00:00", End: "02:00:00"}},
				Locale: "Europe/Berlin",
			},
			NatsLimits: jwt.NatsLimits{Subs: 10, Data: 1 << 40, Payload: 4096},
		},
		BearerToken:            true,
		AllowedConnectionTypes: jwt.StringList{jwt.ConnectionTypeStandard, jwt.ConnectionTypeWebsocket},
	}
}

func theOperator() *jwt.OperatorClaims {
	c := jwt.NewOperatorClaims(public(key(op, 1)))
	basics(&c.ClaimsData, "operator")
	c.SigningKeys.Add(public(key(op, 2)), public(key(op, 3)))
	c.AccountServerURL = "https://accounts.example.com/jwt/v1"
	c.OperatorServiceURLs.Add("nats://a.example.com:4222", "tls://b.example.com:4222")
	c.SystemAccount = public(key(account, 9))
	c.AssertServerVersion = "2.9.10"
	c.StrictSigningKeyUsage = true
	c.Tags.Add("region:eu", "prod")
	return c
}

func theActivation() *jwt.ActivationClaims {
	c := jwt.NewActivationClaims(public(key(account, 1)))
	basics(&c.ClaimsData, "activation")
	c.ImportSubject = "shared.*.private"
	c.ImportType = jwt.Service
	c.IssuerAccount = public(key(account, 4))
	c.Tags.Add("one")
	return c
}

func exports() jwt.Exports {
	return jwt.Exports{
		{Name: "stream", Subject: "feed.>", Type: jwt.Stream, TokenReq: true, Advertise: true,
			Revocations: jwt.RevocationList{public(key(account, 7)): begin, "*": 12},
			Info:        jwt.Info{Description: "a feed", InfoURL: "https://example.com/feed"}},
		{Name: "service", Subject: "ask.*.this", Type: jwt.Service, ResponseType: jwt.ResponseTypeChunked,
			ResponseThreshold: 3 * time.Second, AccountTokenPosition: 2,
			Latency: &jwt.ServiceLatency{Sampling: 42, Results: "latency.ask"}},
		{Subject: "headers", Type: jwt.Service, ResponseType: jwt.ResponseTypeSingleton,
			Latency: &jwt.ServiceLatency{Sampling: jwt.Headers, Results: "latency.headers"}},
		{Subject: "answers", Type: jwt.Service, ResponseType: jwt.ResponseTypeStream},
		{Subject: "plain", Type: jwt.Service},
	}
}

func imports() jwt.Imports {
	token, err := theActivation().Encode(key(account, 5))
	must(err)
	exporter := public(key(account, 4))
	return jwt.Imports{
		{Name: "private", Subject: "shared.*.private", Account: exporter, Token: token, Type: jwt.Service, Share: true,
			LocalSubject: "mine.$1"},
		{Name: "stream", Subject: "public.*.>", Account: exporter, Type: jwt.Stream, LocalSubject: "theirs.$1.>"},
	}
}

func theAccount() *jwt.AccountClaims {
	c := jwt.NewAccountClaims(public(key(account, 1)))
	basics(&c.ClaimsData, "account")
	c.Imports, c.Exports = imports(), exports()
	c.Limits.NatsLimits = jwt.NatsLimits{Subs: 100, Data: 1 << 30, Payload: 1 << 20}
	c.Limits.AccountLimits = jwt.AccountLimits{Imports: 20, Exports: 30, WildcardExports: true, DisallowBearer: true, Conn: 40, LeafNodeConn: 5}
	c.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: 1, DiskStorage: 2, Streams: 3, Consumer: 4, MaxAckPending: 5,
		MemoryMaxStreamBytes: 6, DiskMaxStreamBytes: 7, MaxBytesRequired: true}
	c.SigningKeys.Add(public(key(account, 2)))
	scope := jwt.NewUserScope()
	scope.Key = public(key(account, 3))
	scope.Role = "worker"
	scope.Template = limits()
	c.SigningKeys.AddScopedSigner(scope)
	open := jwt.NewUserScope()
	open.Key = public(key(account, 6))
	c.SigningKeys.AddScopedSigner(open)
	c.Revocations = jwt.RevocationList{public(key(user, 8)): begin, "*": 1}
	c.DefaultPermissions = permissions()
	c.AddMapping("from.*", jwt.WeightedMapping{Subject: "to.$1", Weight: 60, Cluster: "one"}, jwt.WeightedMapping{Subject: "other.$1", Weight: 40})
	c.Description, c.InfoURL = "an account", "https://example.com/account"
	c.Tags.Add("tenant:a", "paid")
	return c
}

func theUser() *jwt.UserClaims {
	c := jwt.NewUserClaims(public(key(user, 1)))
	basics(&c.ClaimsData, "user")
	c.UserPermissionLimits = limits()
	c.IssuerAccount = public(key(account, 1))
	c.Tags.Add("team:blue", "team:green")
	return c
}

func write(dir string) {
	saveToken := func(name string, claims jwt.Claims, pair nkeys.KeyPair) string {
		token, err := claims.Encode(pair)
		must(err)
		save(dir, name+".jwt", []byte(token))
		return token
	}
	operator := saveToken("operator", theOperator(), key(op, 1))
	decorated, err := jwt.DecorateJWT(operator)
	must(err)
	save(dir, "operator.decorated", decorated)
	saveToken("operator_bare", jwt.NewOperatorClaims(public(key(op, 1))), key(op, 1))

	saveToken("account", theAccount(), key(op, 2))
	saveToken("account_bare", jwt.NewAccountClaims(public(key(account, 1))), key(op, 1))
	tiered := jwt.NewAccountClaims(public(key(account, 1)))
	tiered.Limits.JetStreamTieredLimits = jwt.JetStreamTieredLimits{"R1": {DiskStorage: 1024}, "R3": {Streams: noLimit}}
	saveToken("account_tiers", tiered, key(op, 1))

	saveToken("user", theUser(), key(account, 2))
	bare := saveToken("user_bare", jwt.NewUserClaims(public(key(user, 1))), key(account, 1))
	scoped := jwt.NewUserClaims(public(key(user, 1)))
	scoped.SetScoped(true)
	scoped.IssuerAccount = public(key(account, 1))
	saveToken("user_scoped", scoped, key(account, 3))
	seed, err := key(user, 1).Seed()
	must(err)
	creds, err := jwt.FormatUserConfig(bare, seed)
	must(err)
	save(dir, "user_bare.creds", creds)

	saveToken("activation", theActivation(), key(account, 5))
	generic := jwt.NewGenericClaims(public(key(op, 1)))
	basics(&generic.ClaimsData, "generic")
	generic.Data["accounts"] = []string{public(key(account, 1)), public(key(account, 2))}
	generic.Data["type"] = "something"
	generic.Data["nested"] = map[string]interface{}{"a": []int{1, 2, 3}, "b": nil, "c": 1.5}
	saveToken("generic", generic, key(op, 1))
}
