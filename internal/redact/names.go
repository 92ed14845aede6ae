package redact

import (
	"strings"
	"unicode"
)

// The names of fields whose values are redacted, without case and separators: cardNo,
// card_no and Card-No are one. An ending stands for every name that ends so.
var (
	redactedNames = words(`
		pan maskedpan cardpan cardnum card_holder nameoncard cvv cvv2 cvc cvc2 cvn csc pin otp securitycode
		expiry expirydate expirymonth expiryyear expdate expmonth expyear cardexpiry validthru track1 track2 emv
		sign hmac mac auth credential credentials cookie authorization cryptogram cavv
		qr qrcode qrdata qrcontent qrimage deeplinkminiapp deeplinkwebinapp
		name firstname lastname middlename fullname surname givenname familyname username nickname realname
		payername buyername sendername receivername recipientname beneficiaryname billingname shippingname accountname contactname
		phone phonenumber phoneno mobile mobileno mobilenumber msisdn tel telephone walletid email mail
		street addressline1 addressline2 address1 address2 postcode postalcode zip zipcode ip clientip
		idnumber idno idcard nationalid passport passportno ssn taxid cccd cmnd birthday birthdate dateofbirth dob
		iban bic accountno accountnumber bankaccount`)
	redactedEndings = words(`
		token secret password passwd passphrase signature securehash apikey accesskey secretkey privatekey
		url uri link qrcodeurl cardno cardnumber accountno accountnumber bankaccount iban
		holdername firstname lastname fullname customername username phone phonenumber mobile email address`)
)

func words(text string) []string {
	list := strings.Fields(text)
	for i := range list {
		list[i] = plainName(list[i])
	}
	return list
}

// plainName is a field's name as names are compared: letters and digits, in lower case.
func plainName(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// nameSet is the names of the fields that are redacted.
type nameSet struct {
	exact   map[string]bool // false: an exception
	endings []string
}

func newNameSet(redact, keep []string) *nameSet {
	s := &nameSet{exact: map[string]bool{}, endings: redactedEndings}
	for _, n := range redactedNames {
		s.exact[n] = true
	}
	for _, n := range redact {
		s.exact[plainName(n)] = true
	}
	for _, n := range keep {
		s.exact[plainName(n)] = false
	}
	return s
}

func (s *nameSet) has(field string) bool {
	plain := plainName(field)
	if redacted, ok := s.exact[plain]; ok {
		return redacted
	}
	for _, e := range s.endings {
		if strings.HasSuffix(plain, e) {
			return true
		}
	}
	return false
}
