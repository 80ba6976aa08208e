// NATS's own Go libraries as the other side of Hawser's JWTs and creds files: see ../../README.md.
//
//	jwt write DIR    one of every type of claims, of both versions, with every member set
//	jwt check DIR    decodes and validates each token of DIR, and writes what it read beside it
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// key is the one whose raw seed is this byte, 32 times; the other side has the same.
func key(kind nkeys.PrefixByte, fill byte) nkeys.KeyPair {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = fill
	}
	pair, err := nkeys.FromRawSeed(kind, raw)
	must(err)
	return pair
}

func public(pair nkeys.KeyPair) string {
	text, err := pair.PublicKey()
	must(err)
	return text
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func save(dir, name string, data []byte) { must(os.WriteFile(filepath.Join(dir, name), data, 0o600)) }

func saveJSON(dir, name string, value interface{}) {
	data, err := json.Marshal(value)
	must(err)
	save(dir, name, data)
}

// decoded is what the library makes of a token; generic claims have a decoder of their own.
func decoded(name, token string) jwt.Claims {
	if strings.HasPrefix(name, "generic") {
		claims, err := jwt.DecodeGeneric(token)
		must(err)
		return claims
	}
	claims, err := jwt.Decode(token)
	must(err)
	return claims
}

func checkToken(dir, name, token string) {
	claims := decoded(name, token)
	results := jwt.CreateValidationResults()
	claims.Validate(results)
	for _, issue := range results.Issues {
		fmt.Printf("%s: %s\n", name, issue.Description)
	}
	if !results.IsEmpty() {
		os.Exit(1)
	}
	saveJSON(dir, name+".json", claims)
}

func checkCreds(name string, data []byte) {
	token, err := jwt.ParseDecoratedJWT(data)
	must(err)
	pair, err := jwt.ParseDecoratedNKey(data)
	must(err)
	claims, err := jwt.DecodeUserClaims(token)
	must(err)
	if public(pair) != claims.Subject {
		fmt.Printf("%s: the seed is not the one of the JWT's subject\n", name)
		os.Exit(1)
	}
}

func check(dir string) {
	entries, err := os.ReadDir(dir)
	must(err)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		must(err)
		switch filepath.Ext(entry.Name()) {
		case ".jwt":
			checkToken(dir, strings.TrimSuffix(entry.Name(), ".jwt"), string(data))
		case ".creds":
			checkCreds(entry.Name(), data)
		}
	}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "jwt write|check DIR")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "write":
		write(os.Args[2])
		writeFirst(os.Args[2])
	case "check":
		check(os.Args[2])
	default:
		os.Exit(2)
	}
}
