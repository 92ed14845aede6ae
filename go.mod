module github.com/recourse-pay/recourse

go 1.26.0

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/cenkalti/backoff/v4 v4.3.0
	github.com/expr-lang/expr v1.17.8
	github.com/pelletier/go-toml/v2 v2.4.3
	github.com/valyala/fastjson v1.6.10
	pgregory.net/rapid v1.3.0
)
