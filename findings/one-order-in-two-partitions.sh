#!/usr/bin/env bash
# The events of one order, sent to Kafka under the order's key by two services, lie in two partitions.
# Ran on 2026-11-30: IBM/sarama v1.61.1, twmb/franz-go v1.22.3, segmentio/kafka-go v0.4.51 (Go 1.26) and kafkajs 2.2.4 (Node 20), each with its partitioner for keyed records as it comes.
# Guess: a key has its partition, whichever client sends it; that is what keys are for, and what keeps one order's events in order.
# Seen:  of 1,000 orders over 12 partitions sarama and franz-go agree on 68, about as many as by chance. kafka-go agrees with sarama, kafkajs with franz-go, on all.
# Why:   the client chooses the partition. Two hash by FNV-1a, two by murmur2 as the Java client does; the broker does not look.
# So:    "paid" by one service and "refunded" by another are read in any order, and only between services with different libraries. Name the partitioner in each client.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent kafkajs@2.2.4
npm ls --depth 0 | tail -n +2
go mod init probe >/dev/null 2>&1
go version
go get github.com/IBM/sarama@v1.61.1 github.com/twmb/franz-go@v1.22.3 github.com/segmentio/kafka-go@v0.4.51 2>&1 | grep -E 'added github.com/(IBM/sarama|twmb/franz-go|segmentio/kafka-go) ' || true
cat >keys.mjs <<'JS'
import kafkajs from 'kafkajs';

const choose = kafkajs.Partitioners.DefaultPartitioner();
const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({ partitionId, leader: 1 }));
for (let i = 0; i < 1000; i++) console.log(choose({ topic: 'events', partitionMetadata, message: { key: `order-${i}` } }));
JS
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	text, err := os.ReadFile("kafkajs.txt")
	if err != nil {
		panic(err)
	}
	js := strings.Fields(string(text))
	all := make([]int, 12)
	for i := range all {
		all[i] = i
	}
	shopify, franz, segment := sarama.NewHashPartitioner("events"), kgo.StickyKeyPartitioner(nil).ForTopic("events"), &kafka.Hash{}
	var sf, sk, fj, sj int
	for i := range 1000 {
		key := fmt.Sprintf("order-%d", i)
		p, err := shopify.Partition(&sarama.ProducerMessage{Key: sarama.StringEncoder(key)}, 12)
		if err != nil {
			panic(err)
		}
		s, f, k := int(p), franz.Partition(&kgo.Record{Key: []byte(key)}, 12), segment.Balance(kafka.Message{Key: []byte(key)}, all...)
		for n, same := range map[*int]bool{&sf: s == f, &sk: s == k, &fj: fmt.Sprint(f) == js[i], &sj: fmt.Sprint(s) == js[i]} {
			if same {
				*n++
			}
		}
	}
	fmt.Printf("the same partition for 1,000 orders: sarama and kafka-go %d, franz-go and kafkajs %d, sarama and franz-go %d, sarama and kafkajs %d\n", sk, fj, sf, sj)
}
GO
go mod tidy >/dev/null 2>&1
node keys.mjs >kafkajs.txt
cat >expected.txt <<'TXT'
the same partition for 1,000 orders: sarama and kafka-go 1000, franz-go and kafkajs 1000, sarama and franz-go 68, sarama and kafkajs 68
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
