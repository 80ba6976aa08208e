package main

import (
	"time"

	first "github.com/nats-io/jwt"
	"github.com/nats-io/nkeys"
)

// writeFirst writes tokens as the first version of the library does, and beside each what the second makes of it.
func writeFirst(dir string) {
	saveToken := func(name string, claims first.Claims, pair nkeys.KeyPair) {
		token, err := claims.Encode(pair)
		must(err)
		save(dir, name+".jwt", []byte(token))
		saveJSON(dir, name+".json", decoded(name, token))
	}
	basics := func(c *first.ClaimsData, name string) {
		c.Name, c.Audience, c.NotBefore, c.Expires = name, "somebody", begin, end
		c.Tags.Add("old", "k:v")
	}
	operator := first.NewOperatorClaims(public(key(op, 1)))
	basics(&operator.ClaimsData, "operator")
	operator.SigningKeys.Add(public(key(op, 2)))
	operator.AccountServerURL = "https://accounts.example.com/jwt/v1"
	operator.OperatorServiceURLs.Add("nats://a.example.com:4222")
	operator.SystemAccount = public(key(account, 9))
	saveToken("operator_v1", operator, key(op, 1))

	a := first.NewAccountClaims(public(key(account, 1)))
	basics(&a.ClaimsData, "account")
	a.Limits = first.OperatorLimits{Subs: 1, Conn: 2, LeafNodeConn: 3, Imports: 4, Exports: 5, Data: 6, Payload: 7, WildcardExports: true}
	a.SigningKeys.Add(public(key(account, 2)))
	a.Revocations = map[string]int64{public(key(user, 8)): begin}
	a.Imports.Add(&first.Import{Name: "in", Subject: "shared.x", Account: public(key(account, 4)), To: "mine", Type: first.Stream})
	a.Exports.Add(&first.Export{Name: "out", Subject: "ask", Type: first.Service, ResponseType: first.ResponseTypeStream, TokenReq: true,
		Latency: &first.ServiceLatency{Sampling: 10, Results: "latency"}})
	saveToken("account_v1", a, key(op, 1))

	u := first.NewUserClaims(public(key(user, 1)))
	basics(&u.ClaimsData, "user")
	u.IssuerAccount = public(key(account, 1))
	u.Permissions.Pub.Allow.Add("a.>")
	u.Permissions.Sub.Deny.Add("b")
	u.Permissions.Resp = &first.ResponsePermission{MaxMsgs: 2, Expires: time.Second}
	u.Limits = first.Limits{Max: 9, Payload: 100, Src: "10.0.0.0/8, 192.0.2.0/24", Times: []first.TimeRange{{Start: "08:00:00", End: "09:00:00"}}}
	u.BearerToken = true
	saveToken("user_v1", u, key(account, 2))
	saveToken("user_bare_v1", first.NewUserClaims(public(key(user, 1))), key(account, 1))

	activation := first.NewActivationClaims(public(key(account, 1)))
	basics(&activation.ClaimsData, "activation")
	activation.ImportSubject = "shared.>"
	activation.ImportType = first.Stream
	activation.IssuerAccount = public(key(account, 4))
	saveToken("activation_v1", activation, key(account, 5))

	generic := first.NewGenericClaims(public(key(op, 1)))
	basics(&generic.ClaimsData, "generic")
	generic.Data["answer"] = 42
	saveToken("generic_v1", generic, key(op, 1))
}
