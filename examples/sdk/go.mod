module github.com/recourse-pay/recourse/examples/sdk

go 1.26.0

require (
	github.com/mercadopago/sdk-go v1.8.0
	github.com/midtrans/midtrans-go v1.3.8
	github.com/razorpay/razorpay-go v1.3.3
	github.com/recourse-pay/recourse v0.1.0
	github.com/stripe/stripe-go/v85 v85.0.0
)

require (
	github.com/BurntSushi/toml v1.6.0 // indirect
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	github.com/expr-lang/expr v1.17.8 // indirect
	github.com/google/uuid v1.5.0 // indirect
	github.com/pelletier/go-toml/v2 v2.4.3 // indirect
	github.com/valyala/fastjson v1.6.10 // indirect
)
