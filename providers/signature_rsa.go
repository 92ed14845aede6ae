package providers

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

var errKey = errors.New("rsa-sha256 needs an RSA key in PEM")

// der is a key in PEM, or as the bare base64 in which providers' consoles show it.
func der(key string) ([]byte, error) {
	if block, _ := pem.Decode([]byte(key)); block != nil {
		return block.Bytes, nil
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(key), ""))
}

func signRSA(key, text string) ([]byte, error) {
	raw, err := der(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errKey, err)
	}
	private, err := x509.ParsePKCS1PrivateKey(raw)
	if err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errKey, err)
		}
		other, isRSA := parsed.(*rsa.PrivateKey)
		if !isRSA {
			return nil, errKey
		}
		private = other
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, sum[:])
}

// rsaPublicKey reads a public key.
func rsaPublicKey(key string) (*rsa.PublicKey, bool) {
	raw, err := der(key)
	if err != nil {
		return nil, false
	}
	if public, err := x509.ParsePKCS1PublicKey(raw); err == nil {
		return public, true
	}
	parsed, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		return nil, false
	}
	public, ok := parsed.(*rsa.PublicKey)
	return public, ok
}

func publicKey(secret string) bool {
	_, ok := rsaPublicKey(secret)
	return ok
}

func verifyRSA(key, text string, signature []byte) bool {
	public, ok := rsaPublicKey(key)
	sum := sha256.Sum256([]byte(text))
	return ok && rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) == nil
}
