package policy

// ShopperAction is what a shopper has to do next for a payment to go on, as the provider's
// body says it. It is for the screen: nothing in it proves anything about the payment.
// An empty field was not said. URLs stand as the provider wrote them, unchecked.
type ShopperAction struct {
	PayURL      string `json:"pay_url,omitempty"`      // a page to pay on
	Deeplink    string `json:"deeplink,omitempty"`     // opens the provider's app
	QRCode      string `json:"qr_code,omitempty"`      // a QR code's content, or the URL of its picture
	RedirectURL string `json:"redirect_url,omitempty"` // a page that has to be passed first: 3-D Secure, a bank's
	Token       string `json:"token,omitempty"`        // for the provider's SDK in the shopper's browser or app
}

// IsZero reports whether there is nothing for the shopper to do.
func (s ShopperAction) IsZero() bool {
	return len(s.PayURL)+len(s.Deeplink)+len(s.QRCode)+len(s.RedirectURL)+len(s.Token) == 0
}
