package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// key verifies signatures. Which algorithms it does that by follows from what it is, never from what a token says
// (RFC 8725, section 3.1).
type key struct {
	id       string
	methods  []string
	material any
}

var secretMethods = []string{"HS256", "HS384", "HS512"}

func secretKey(secret string) (key, error) {
	if len(secret) < 32 {
		return key{}, fmt.Errorf("the secret has %d bytes, and 32 are the least (RFC 7518, section 3.2)", len(secret))
	}
	return key{methods: secretMethods, material: []byte(secret)}, nil
}

// publicKey makes a key of one that was parsed.
func publicKey(id string, material crypto.PublicKey) (key, error) {
	k := key{id: id, material: material}
	switch m := material.(type) {
	case *rsa.PublicKey:
		if m.N.BitLen() < 2048 {
			return k, fmt.Errorf("an RSA key of %d bits is too short: 2048 are the least (RFC 7518, section 3.3)", m.N.BitLen())
		}
		k.methods = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		method, known := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[m.Curve.Params().BitSize]
		if !known {
			return k, errors.New("the curve is none of P-256, P-384, P-521")
		}
		k.methods = []string{method}
	case ed25519.PublicKey:
		k.methods = []string{"EdDSA"}
	default:
		return k, fmt.Errorf("a key of the kind %T verifies no tokens", material)
	}
	return k, nil
}

// pemKey reads a public key, or that of a certificate.
func pemKey(text []byte) (key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return key{}, errors.New("it is not PEM")
	}
	if block.Type == "CERTIFICATE" {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return key{}, err
		}
		return publicKey("", certificate.PublicKey)
	}
	material, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		if material, pkcs1 := x509.ParsePKCS1PublicKey(block.Bytes); pkcs1 == nil {
			return publicKey("", material)
		}
		return key{}, err
	}
	return publicKey("", material)
}

// narrowed takes algorithms away that are not wanted.
func (k key) narrowed(wanted []string) key {
	if len(wanted) > 0 {
		k.methods = slices.DeleteFunc(slices.Clone(k.methods), func(m string) bool { return !slices.Contains(wanted, m) })
	}
	return k
}
