package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/recourse-pay/recourse/internal/outfile"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Known is a cache of proofs in a file. A proof is reused when the program is the same, byte for
// byte, and the input is the same: the provider's catalogue, the conditions, actions and schedules
// of the rules that can hold, contract, limits and options. A proof also holds for other rules that decide nothing
// which it did not follow: see cover.go. Only proofs are stored. Safe for concurrent use.
//
// A file that was damaged is refused: its content has a digest. A process that can write the file can still claim proofs. Trust the
// file as far as the program itself.
type Known struct {
	file    string
	program string // its SHA-256
	mu      sync.Mutex
	stored  proofs
	fresh   bool // there are proofs that the file does not hold
}

// knownFile is the form of the file.
type knownFile struct {
	V       int             `json:"v"`
	Program string          `json:"program"` // its SHA-256
	Digest  string          `json:"digest"`  // of the proofs as they stand, and of the program
	Proofs  json.RawMessage `json:"proofs"`
}

func (f *knownFile) digest() string {
	sum := sha256.Sum256(append([]byte(f.Program+"\n"), f.Proofs...))
	return hex.EncodeToString(sum[:])
}

// proofs is what was proved.
type proofs struct {
	Proved map[string]proved  `json:"proved"`
	Covers map[string][]cover `json:"covers,omitempty"` // by all that a search depends on but for the rules
}

// proved is what is known of a product that was proved.
type proved struct {
	Covered Covered `json:"covered"`
	Needs   []need  `json:"needs"`
}

// OpenKnown reads the proofs of this program. It starts empty if the file does not exist or is
// another program's. A file that cannot be read or was damaged is an error, and so is a folder that does not
// exist.
func OpenKnown(file string) (*Known, error) {
	program, err := thisProgram()
	if err != nil {
		return nil, err
	}
	k := &Known{file: file, program: program}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(file)); err != nil { // an early error saves the user a long search
			return nil, fmt.Errorf("%s cannot be written: %w", file, err)
		}
	case err != nil:
		return nil, err
	default:
		if err := k.read(data); err != nil {
			return nil, fmt.Errorf("%s does not hold what was proved before (%w); remove it, or name another file", file, err)
		}
	}
	if k.stored.Proved == nil {
		k.stored.Proved = map[string]proved{}
	}
	if k.stored.Covers == nil {
		k.stored.Covers = map[string][]cover{}
	}
	return k, nil
}

var (
	errNotProofs = errors.New("it is in another form")
	errDamaged   = errors.New("it was changed after it was written")
)

// read takes over the proofs of a file, unless they are another program's.
func (k *Known) read(data []byte) error {
	var f knownFile
	if err := json.Unmarshal(data, &f); err != nil || f.V < 1 {
		return errors.Join(errNotProofs, err)
	}
	if f.V != Version || f.Program != k.program {
		return nil
	}
	if f.Digest != f.digest() {
		return errDamaged
	}
	if err := json.Unmarshal(f.Proofs, &k.stored); err != nil {
		return errors.Join(errNotProofs, err)
	}
	for _, covers := range k.stored.Covers {
		for i := range covers {
			if !covers[i].inRange() {
				return errNotProofs
			}
		}
	}
	return nil
}

// thisProgram returns the SHA-256 of the running program.
func thisProgram() (string, error) {
	program, err := os.Open("/proc/self/exe") // what runs, although another file may be in its place by now
	if err != nil {
		name, err := os.Executable()
		if err != nil {
			return "", err
		}
		if program, err = os.Open(name); err != nil {
			return "", err
		}
	}
	defer program.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, program); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Save writes the file if there are new proofs. It replaces the whole file in one step.
func (k *Known) Save() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.fresh {
		return nil
	}
	content, err := json.Marshal(&k.stored)
	if err != nil {
		return err
	}
	f := knownFile{V: Version, Program: k.program, Proofs: content}
	f.Digest = f.digest()
	data, err := json.Marshal(&f)
	if err != nil {
		return err
	}
	if err := outfile.Write(context.Background(), k.file, append(data, '\n')); err != nil {
		return err
	}
	k.fresh = false
	return nil
}

func (k *Known) proved(key string) (p proved, ok bool) {
	if k == nil {
		return p, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok = k.stored.Proved[key]
	return p, ok
}

func (k *Known) add(key string, p proved) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stored.Proved[key], k.fresh = p, true
}

// key identifies everything that a product's proof depends on, except the program.
func (j *job) key(e *ruleset.Engine, o *Options) (string, error) {
	catalog, err := e.Catalog(&j.payment)
	if err != nil {
		return "", err
	}
	layers := e.Rules.Layers(j.payment.Provider, j.payment.Merchant)
	on := struct {
		Catalog   [sha256.Size]byte
		Payment   policy.Payment
		Distrust  bool
		Verdict   bool // what is needed is not looked for
		MaxStates int
		Terms     *policy.Terms
		Zones     []string
		Rules     []ruleKey
		Names     []string // of the merchants with a file, where a rule asks for the merchant: all others are one product
	}{Catalog: catalog.Digest(), Payment: j.payment, Distrust: o.DistrustInferred, Verdict: o.VerdictOnly, MaxStates: o.maxStates(), Terms: e.Terms(&j.payment)}
	if j.looks.At["merchant"] {
		on.Names = e.Rules.MerchantNames()
	} else {
		on.Payment.Merchant = ""
	}
	for _, f := range layers {
		if f.Timezone != nil {
			on.Zones = append(on.Zones, f.Timezone.String())
		}
	}
	for _, r := range layers.Rules() {
		if s, holds := j.looks.Waits[r.Source()]; holds {
			on.Rules = append(on.Rules, ruleKey{r.ID, r.When, r.Then, s})
		}
	}
	text, err := json.Marshal(&on)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// ruleKey is what a rule decides, without its position in the file.
type ruleKey struct {
	ID    string
	When  string
	Then  policy.Action
	Waits *policy.Schedule
}
