// Package webhook receives providers' webhooks over HTTP: [Handler] bounds the body, verifies signature
// and age, tells copies, hands in what came to the executor, and answers as the provider wants it.
//
// How a provider signs, and what it takes for an acknowledgement, is its catalogue's to say; see
// [github.com/recourse-pay/recourse/providers.Catalog.Webhook].
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package webhook
