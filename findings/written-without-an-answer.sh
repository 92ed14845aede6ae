#!/usr/bin/env bash
# An event of a payment that the broker refused is reported as written.
# Ran on 2026-11-30: kafka-go v0.4.51 beside sarama v1.61.1 and franz-go v1.22.3, against franz-go's in-process broker kfake, Go 1.26.
# Guess: kafka.Writer{Addr, Topic}.WriteMessages returns nil when the broker has the message.
# Seen:  it returns nil, and nothing is stored. With RequiredAcks: RequireAll, and by the older kafka.NewWriter, it returns the broker's error, as sarama and franz-go do with their default settings.
# Why:   the zero value of RequiredAcks is RequireNone: the broker is asked for no answer. NewWriter has another default than the struct that replaces it.
# So:    an outbox deletes the row, and the event is nowhere; moving from NewWriter to the struct, as its deprecation says, brings the loss. Set RequiredAcks: kafka.RequireAll.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/segmentio/kafka-go@v0.4.51 github.com/IBM/sarama@v1.61.1 github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c github.com/twmb/franz-go@v1.22.3 github.com/twmb/franz-go/pkg/kmsg@v1.15.1 2>&1 | grep -E 'github.com/segmentio/kafka-go|github.com/IBM/sarama|github.com/twmb/franz-go/pkg/kfake|github.com/twmb/franz-go|github.com/twmb/franz-go/pkg/kmsg' || true
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuse answers each produce request with an error, as a broker does that
// may not store the message.
func refuse(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		r := req.(*kmsg.ProduceRequest)
		resp := r.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range r.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				part := kmsg.NewProduceResponseTopicPartition()
				part.Partition, part.ErrorCode = p.Partition, kerr.MessageTooLarge.Code
				topic.Partitions = append(topic.Partitions, part)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
}

func main() {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "payments"))
	if err != nil {
		panic(err)
	}
	defer c.Close()
	refuse(c)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	addr, body := c.ListenAddrs(), []byte("order 17 is paid")
	show := func(name string, err error) { fmt.Printf("%s: an error %v\n", name, err != nil) }

	w := &kafka.Writer{Addr: kafka.TCP(addr...), Topic: "payments", Transport: &kafka.Transport{}}
	show("kafka.Writer{}", w.WriteMessages(ctx, kafka.Message{Value: body}))
	w = &kafka.Writer{Addr: kafka.TCP(addr...), Topic: "payments", Transport: &kafka.Transport{}, RequiredAcks: kafka.RequireAll}
	show("kafka.Writer{RequiredAcks: RequireAll}", w.WriteMessages(ctx, kafka.Message{Value: body}))
	w = kafka.NewWriter(kafka.WriterConfig{Brokers: addr, Topic: "payments"})
	show("kafka.NewWriter", w.WriteMessages(ctx, kafka.Message{Value: body}))

	franz, err := kgo.NewClient(kgo.SeedBrokers(addr...), kgo.DefaultProduceTopic("payments"))
	if err != nil {
		panic(err)
	}
	show("franz-go", franz.ProduceSync(ctx, &kgo.Record{Value: body}).FirstErr())

	config := sarama.NewConfig()
	config.Producer.Return.Successes = true
	p, err := sarama.NewSyncProducer(addr, config)
	if err != nil {
		panic(err)
	}
	_, _, err = p.SendMessage(&sarama.ProducerMessage{Topic: "payments", Value: sarama.ByteEncoder(body)})
	show("sarama", err)
	end, err := sarama.NewClient(addr, config)
	if err != nil {
		panic(err)
	}
	stored, err := end.GetOffset("payments", 0, sarama.OffsetNewest)
	fmt.Println("messages stored:", stored, err)
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
kafka.Writer{}: an error false
kafka.Writer{RequiredAcks: RequireAll}: an error true
kafka.NewWriter: an error true
franz-go: an error true
sarama: an error true
messages stored: 0 <nil>
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
