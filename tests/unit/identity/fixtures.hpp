// Keys and tokens for the tests of this room. The fixed ones were made by an independent implementation (Python's
// `cryptography`, from the raw bytes 0, 1, … 31 and from 32 bytes of 1 and of 2); they open nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "identity/encoding.hpp"
#include "identity/nkey.hpp"

namespace hawser::identity::fixtures {

inline constexpr std::string_view kUserSeed = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";
inline constexpr std::string_view kUserPublic = "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK";
inline constexpr std::string_view kAccountSeed = "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI";

// A user JWT of version 2 by an account's signing key: name agent-kate, from 1700000000 to 4102444800.
inline constexpr std::string_view kToken =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.eyJqdGkiOiJYIiwiaWF0IjoxNzAwMDAwMDAwLCJpc3MiOiJBQ0FUU"
    "zVZT1ZCNlJPWDJXVU5LR05RMk1QM0dNWERNS1NHMk80TjVDTFgzQTZXNFBaR1paSUwyUiIsIm5hbWUiOiJhZ2VudC1rYXRlIiwic"
    "3ViIjoiVUFCMkNCNTc2UEhCQlBRNU9ET1JSWjJMWUNNV1BaR1dHQ04yS0RLN0RYT0lNWkFTS1VZM1JMS0siLCJleHAiOjQxMDI0N"
    "DQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwibmF0cyI6eyJwdWIiOnsiYWxsb3ciOlsiYWdlbnQucm91dGUub3BzIl19LCJzdWIiOnt9L"
    "CJzdWJzIjotMSwiZGF0YSI6LTEsInBheWxvYWQiOi0xLCJpc3N1ZXJfYWNjb3VudCI6IkFDRklSWTY1T1FFN0RGUDVLTE5TMlBGM"
    "kxWWk1VWllKWDRPWklFUTM2TjJJUUFOVUI1WFZZWU9VIiwidHlwZSI6InVzZXIiLCJ2ZXJzaW9uIjoyfX0.s9WcJnGpe5573RskN"
    "T_fNew7nOUQU_Q_Qc7vF3lcTxn49DpnNV_LEcBbpx2mPrj5KwoZoaUD3NTUqEam2tbMAQ";
// A user JWT of version 1: other header, other place of the type, the payload alone is signed.
inline constexpr std::string_view kTokenVersion1 =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5In0.eyJpYXQiOjE2MDAwMDAwMDAsImlzcyI6IkFDRklSWTY1T1FFN0RGUDVLTE5T"
    "MlBGMkxWWk1VWllKWDRPWklFUTM2TjJJUUFOVUI1WFZZWU9VIiwibmFtZSI6Im9sZCIsInN1YiI6IlVBQjJDQjU3NlBIQkJQUTVP"
    "RE9SUloyTFlDTVdQWkdXR0NOMktESzdEWE9JTVpBU0tVWTNSTEtLIiwidHlwZSI6InVzZXIiLCJuYXRzIjp7InB1YiI6e30sInN1"
    "YiI6e319fQ.s4vRjPAsZBk-3_1H8WHOhhBaiNj7VJTG4FxVMu71qeQ3YZXDYZq1rp0nOO6uMUBWjyohVQw5HXnmg9sxpJkGCA";

inline std::array<std::uint8_t, 32> raw_bytes(std::uint8_t first) {
  std::array<std::uint8_t, 32> raw{};
  raw.fill(first);
  return raw;
}

// A key whose raw seed is that byte, 32 times.
inline KeyPair key(KeyKind kind, std::uint8_t byte) { return KeyPair::from_raw(kind, raw_bytes(byte)).value(); }

inline constexpr std::string_view kHeader = R"({"typ":"JWT","alg":"ed25519-nkey"})";

// Signs any text as a token, well-formed or not.
inline std::string token(std::string_view header, std::string_view payload, const KeyPair& signer) {
  const std::string text = encode_base64url(as_bytes(header)) + '.' + encode_base64url(as_bytes(payload));
  return text + '.' + encode_base64url(signer.sign(text).value());
}

// A user's token with these members beside issuer and subject.
inline std::string user_token(const KeyPair& account, std::string_view subject, std::string_view extra = "",
                              std::string_view nats_extra = "") {
  std::string payload = R"({"iss":")" + account.public_key().text() + R"(","sub":")" + std::string(subject) + '"';
  payload += std::string(extra) + R"(,"nats":{"type":"user","version":2)" + std::string(nats_extra) + "}}";
  return token(kHeader, payload, account);
}

inline std::string creds_text(std::string_view jwt, std::string_view seed) {
  return "-----BEGIN NATS USER JWT-----\n" + std::string(jwt) +
         "\n------END NATS USER JWT------\n\n************************* IMPORTANT *************************\n"
         "NKEY Seed printed below can be used to sign and prove identity.\n"
         "NKEYs are sensitive and should be treated as secrets.\n\n-----BEGIN USER NKEY SEED-----\n" +
         std::string(seed) +
         "\n------END USER NKEY SEED------\n\n"
         "*************************************************************\n";
}

}  // namespace hawser::identity::fixtures
