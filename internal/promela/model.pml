/* ---- The model. All that stands before this line is data; nothing below depends on it but by the names there. ---- */

#ifndef MAX_IDENTITIES
#define MAX_IDENTITIES 2
#endif
#define MAX_REQUESTS c_expr { max_requests }
#define NI 3  /* identities of a payment key */
#define NR 4  /* requests of a payment key, repeats among them */
#define NONE 9

/* Effects, stages of an answer and classes that the flow itself reads. */
#define UNK 0
#define PEND 1
#define NOT 2
#define EXE 3
#define DOOR 0
#define RESULT 1
#define C_NOTFOUND 1
#define C_DISPUTED 2
#define C_MISMATCH 3
#define C_CONFLICT 4

/* Actions. */
#define ESCALATE 0
#define SUCCEED 1
#define SAME 2
#define NEW_REQUEST 3
#define NEW_ORDER 4
#define QUERY 5
#define FAIL 6
#define SENDS(a) ((a) >= SAME && (a) <= NEW_ORDER)
#define ENDS(a) ((a) == ESCALATE || (a) == SUCCEED || (a) == FAIL)

/* Stages and outcomes of a flow, and the ways to find out a status. */
#define NEW 0
#define SENDING 1
#define QUERYING 2
#define WAITING 3
#define ENDED 4
#define OPEN 0
#define SUCCEEDED 1
#define FAILED 2
#define ESCALATED 3
#define BY_QUERY 1
#define BY_WEBHOOK 2

/* What an answer names, and what a query asks by. */
#define BY_NOTHING 0
#define BY_ORDER 1
#define BY_REQUEST 2
#define BY_PROVIDER 3
#define N_NOTHING 0
#define N_BOTH 1
#define N_ORDER 2
#define N_PROVIDER 3
#define N_OTHER 4

/* Phases. */
#define P_SEND 0
#define P_QUERY 1
#define P_WEBHOOK 2

/* What became of a request at the provider. From STORED on the provider has it. Whether it is executed or fails is fixed when
   it arrives; until the provider says so, it can say that it was accepted, at any time and also later. */
#define AWAY 0      /* it may still arrive */
#define REFUSED 1   /* refused before it was processed, or it never left: nothing is stored */
#define REPEAT 2    /* recognized as the repeat of a stored one */
#define STOPPED 3   /* failed, and stored as failed */
#define DONE 4      /* executed */
#define ODD 5       /* executed with another amount; only the first request of a key is, which bounds the model, and none where the payment says none */
#define STORED STOPPED

/* The flow. */
short T;                      /* the rules, catalogue and contract that are looked at */
byte stage; byte outcome; byte n; byte own; byte nextA; byte via; byte askBy; byte heldA; byte heldVia; bool held;
byte order[NI]; bool again[NI]; byte copies[NI]; byte eff[NI]; byte fact[NI]; byte prior[NI]; byte theirs[NI];
bool mism[NI]; bool disp[NI]; bool cont[NI]; bool reop[NI];
bool askFound[NI]; bool askArrived[NI]; bool askSafe[NI]; /* at the moment of the query under way */

/* The provider's truth. */
byte rid[NR]; byte rst[NR]; byte rage[NR]; bool rded[NR]; bool rask[NR];
byte nr; byte cur;

/* Of one event; all of them are 0 between events. */
byte t_ph; byte t_k; byte t_j; byte t_i; byte t_r; byte t_e; byte t_name; bool t_odd; bool t_late; bool t_bad;
byte t_w; bool t_sure; byte t_f; bool t_news; bool t_repeat; bool t_decide; bool t_proved; bool t_reopened; bool t_doubt;
byte t_s; byte t_d; byte t_lo; byte t_hi; byte t_a; byte t_via; byte t_viol; bool t_over; bool t_noSends; bool t_noQueries; byte t_x; byte t_y; bool t_flag;
bool t_sched; byte t_rule; bool t_limit;
#ifdef STRICT
bool asked;
#endif
#ifdef COUNTED
byte attempts; byte queries; bool over;
#endif

/* Data. */
#define F_EFF(f) c_expr { F_EFFECT(now.T)[now.f] }
#define F_CLASS(f) c_expr { F_READ(now.T)[now.f] }
#define F_STAGE(f) c_expr { F_MADE(now.T)[now.f] }
#define F_NAME(f) c_expr { F_NAMED(now.T)[now.f] }
#define K(x) c_expr { CONTRACT(now.T).x }

/* What the ledger says. */
#define IN_DOUBT(i) (eff[i] < NOT)
#define DOUBT (IN_DOUBT(0) || IN_DOUBT(1) || IN_DOUBT(2))
#define DOUBT_BEFORE ((n > 1 && IN_DOUBT(0)) || (n > 2 && IN_DOUBT(1)))
#define ALL_NOT (eff[0] == NOT && eff[1] == NOT && eff[2] == NOT)
#define CONTESTED(i) (cont[i] && eff[i] != NOT)
#define X(i) (eff[i] == EXE)
#define PROVED (!CONTESTED(0) && !CONTESTED(1) && !CONTESTED(2) && !(X(0) && mism[0]) && !(X(1) && mism[1]) && !(X(2) && mism[2]) \
  && X(0) + X(1) + X(2) == 1 && !(X(0) && (IN_DOUBT(1) || IN_DOUBT(2))) && !(X(1) && IN_DOUBT(2)))
#define DISPUTED (disp[0] || disp[1] || disp[2])
#define REOPENED ((n > 1 && IN_DOUBT(0) && (reop[0] || cont[0])) || (n > 2 && IN_DOUBT(1) && (reop[1] || cont[1])))
#define EXHAUSTED (ALL_NOT -> FAIL : ESCALATE)

/* What the provider has. */
#define HAS(i, s) ((rid[0] == (i) && rst[0] == (s)) || (rid[1] == (i) && rst[1] == (s)) || (rid[2] == (i) && rst[2] == (s)) || (rid[3] == (i) && rst[3] == (s)))
#define HAS_STORED(i) ((rid[0] == (i) && rst[0] >= STORED) || (rid[1] == (i) && rst[1] >= STORED) || (rid[2] == (i) && rst[2] >= STORED) || (rid[3] == (i) && rst[3] >= STORED))
#define SENT(i) (rid[0] == (i) || rid[1] == (i) || rid[2] == (i) || rid[3] == (i))
/* The flow's time is over for certain: its first request is older. */
#define OLD(r) (rid[r] == own && rage[r] >= K(past))
#define PAST (K(past) > 0 && (OLD(0) || OLD(1) || OLD(2) || OLD(3)))
#define EXECUTIONS ((rst[0] >= DONE) + (rst[1] >= DONE) + (rst[2] >= DONE) + (rst[3] >= DONE))
#define RIGHT (rst[0] == DONE || rst[1] == DONE || rst[2] == DONE || rst[3] == DONE)
#define WRONG (rst[0] == ODD || rst[1] == ODD || rst[2] == ODD || rst[3] == ODD)
/* A copy can arrive after the window where nothing bounds its arrival. Request 0 is the oldest of all. */
#define WINDOW_OVER (K(windowEnd) > 0 && rage[t_s] >= K(windowEnd))
#define SHARES(i) ((n > 0 && (i) != 0 && order[0] == order[i]) || (n > 1 && (i) != 1 && order[1] == order[i]) || (n > 2 && (i) != 2 && order[2] == order[i]))

/* A broken property. The program that spin makes reports each kind once with -DREPORT, else it stops at the first. */
#ifdef REPORT
#define BROKEN(property, rule) c_code { report(now.T, property, rule); }
#else
#define BROKEN(property, rule) printf("broken: S%d\n", property); assert(false)
#endif

/* first(i): the index of the first request of an identity; last(i): of its last. */
inline first(i, to) { to = 0; do :: to < nr && rid[to] != i -> to++ :: else -> break od }
inline last(i, to) { to = nr; do :: to > 0 && rid[to - 1] != i -> to-- :: else -> break od; to = to - 1 }

/* safe(i, to): the contract lets the identity be sent again although it is in doubt. */
inline safe(i, to) {
  to = false;
  if
  :: K(dedupes) -> first(i, t_y); to = (rage[t_y] < K(window)); t_y = 0
  :: else
  fi
}

/* mayRepeat: the last identity may be sent again. */
inline mayRepeat(to) {
  to = false;
  if
  :: DOUBT_BEFORE || X(0) || X(1) || X(2) -> skip
  :: else -> if :: eff[n - 1] == NOT -> to = true :: else -> safe(n - 1, to) fi
  fi
}

/* breaks(a): which property an action would break now. */
inline breaks(a) {
  t_viol = 0;
  if
  :: a == SUCCEED && !PROVED -> t_viol = 3
  :: a == SUCCEED && PROVED && DISPUTED -> t_viol = 6
  :: a == FAIL && !ALL_NOT -> t_viol = 2
  :: (a == NEW_REQUEST || a == NEW_ORDER) && !ALL_NOT -> t_viol = 1
  :: a == SAME -> mayRepeat(t_flag); if :: t_flag -> skip :: else -> t_viol = 1 fi; t_flag = false
  :: else
  fi
}

#define ASKS_NOW (theirs[n - 1] != 0 -> K(byKnown) : K(byUnknown))
#define CAN_QUERY ((theirs[n - 1] != 0 && K(byKnown) != BY_NOTHING) || K(byUnknown) != BY_NOTHING)

/* fallback: what is done in place of an action that would break a property. */
inline fallback() {
  t_via = 0;
  mayRepeat(t_flag);
  if
  :: PROVED && DISPUTED -> t_a = ESCALATE
  :: !(PROVED && DISPUTED) && t_over -> t_a = EXHAUSTED
  :: !(PROVED && DISPUTED) && !t_over && !t_noQueries && CAN_QUERY -> t_a = QUERY; t_via = BY_QUERY
  :: !(PROVED && DISPUTED) && !t_over && !(!t_noQueries && CAN_QUERY) ->
    if
    :: !t_noSends && DOUBT && t_flag -> t_a = SAME
    :: !(!t_noSends && DOUBT && t_flag) && K(webhook) && DOUBT -> t_a = QUERY; t_via = BY_WEBHOOK
    :: else -> t_a = EXHAUSTED
    fi
  fi;
  t_flag = false
}

/* settle: what is done about what the rules want (t_a). The order is the machine's: interlock, then limits. */
inline settle() {
  t_via = 0; t_limit = false;
  if
  :: SENDS(t_a) && t_over -> t_a = EXHAUSTED; t_viol = 0; t_limit = true
  :: else ->
    breaks(t_a);
    if
    :: t_viol != 0 -> fallback()
    :: t_viol == 0 && SENDS(t_a) && t_noSends ->
      t_limit = true;
      if :: DOUBT -> fallback() :: else -> t_a = EXHAUSTED fi
    :: t_viol == 0 && t_a == QUERY ->
      if
      :: t_over -> t_a = EXHAUSTED; t_limit = true
      :: !t_over && !CAN_QUERY -> fallback()
      :: !t_over && CAN_QUERY && t_noQueries -> t_a = EXHAUSTED; t_limit = true
      :: else -> t_via = BY_QUERY
      fi
    :: else
    fi
  fi
}

/* finish: the flow ends, or an escalated one is settled. S2 and S3 are held against the truth. */
inline finish(o) {
  stage = ENDED; outcome = o; nextA = 0; via = 0;
  if
  :: o == FAILED && EXECUTIONS > 0 -> BROKEN(2, 0)
  :: o == SUCCEEDED && (!RIGHT || WRONG) -> BROKEN(3, 0)
  :: else
  fi
}

inline conclude(a) {
  if :: a == SUCCEED -> finish(SUCCEEDED) :: a == FAIL -> finish(FAILED) :: else -> finish(ESCALATED) fi
}

/* executed: the provider has just dealt with the request t_r. S1 and S2 are held against the truth. */
inline executed() {
  if
  :: EXECUTIONS > 1 -> BROKEN(1, 0)
  :: EXECUTIONS <= 1 && rst[t_r] >= DONE && stage == ENDED && outcome == FAILED -> BROKEN(2, 0)
  :: else
  fi
}

/* identity: one more identity, under an order. */
inline identity(o) {
  order[n] = o; eff[n] = NOT; fact[n] = NONE_FACT; prior[n] = NOT;
  theirs[n] = K(target) * (NI + 1);
  n = n + 1
}

inline wait(a, v) { stage = WAITING; nextA = a; via = v }

/* send: one more request under the last identity. The contract's promise about it is fixed now. */
inline send() {
  t_x = n - 1;
  prior[t_x] = NOT;
  if :: SENT(t_x) -> prior[t_x] = eff[t_x]; again[t_x] = true :: else fi;
  copies[t_x] = copies[t_x] + 1;
  if :: eff[t_x] == NOT || !again[t_x] -> eff[t_x] = UNK; fact[t_x] = K(processing) :: else fi;
  rid[nr] = t_x; rst[nr] = AWAY; rage[nr] = 0; cur = nr; nr = nr + 1;
  t_flag = false; t_y = 0;
  if
  :: K(dedupes) ->
    /* the first request under the name that dedupes */
    t_y = 0;
    do :: t_y < nr && !(rid[t_y] == t_x || (K(byOrder) && order[rid[t_y]] == order[t_x])) -> t_y++ :: else -> break od;
    rded[nr - 1] = (rage[t_y] < K(window))
  :: else -> rded[nr - 1] = false
  fi;
  t_y = 0; t_x = 0;
  stage = SENDING; nextA = 0; via = 0;
#ifdef COUNTED
  attempts++;
  if :: attempts > K(maxAttempts) -> BROKEN(4, 0) :: else fi
#endif
}

/* query: asks about the identity sent last. What a "not found" could prove is fixed now. */
inline query() {
  stage = QUERYING; nextA = 0; via = 0;
  askBy = ASKS_NOW;
  t_x = 0;
  do
  :: t_x < n ->
    last(t_x, t_y);
    askFound[t_x] = (K(found) > 0 && rage[t_y] >= K(found));
    askArrived[t_x] = (K(arrival) > 0 && rage[t_y] >= K(arrival));
    safe(t_x, askSafe[t_x]);
    t_x++
  :: else -> break
  od;
  t_x = 0;
  do :: t_x < nr -> rask[t_x] = (rst[t_x] >= STORED); t_x++ :: else -> break od;
  t_x = 0; t_y = 0;
#ifdef STRICT
  asked = true;
#endif
#ifdef COUNTED
  queries++;
  if :: queries > K(maxQueries) -> BROKEN(4, 0) :: else fi
#endif
}

#define ARRIVED ((n < 1 || askArrived[0]) && (n < 2 || askArrived[1]) && (n < 3 || askArrived[2]))

/* identify: which identity of the ledger the flow takes an answer to be about (t_w; NONE: no one's), and whether for sure. */
inline identify() {
  t_w = NONE; t_sure = true;
  if
  :: t_name == N_NOTHING || (t_name == N_PROVIDER && t_ph == P_SEND) -> t_w = n - 1
  :: t_name == N_BOTH -> t_w = t_i
  :: t_name == N_ORDER -> t_x = 0; do :: t_x < n -> if :: order[t_x] == order[t_i] -> t_w = t_x :: else fi; t_x++ :: else -> break od
  :: t_name == N_PROVIDER && t_ph != P_SEND ->
    t_x = 0; t_y = 0;
    do :: t_x < n -> if :: theirs[t_x] == 0 -> t_w = t_x; t_y++ :: else fi; t_x++ :: else -> break od;
    t_sure = (t_y == 1);
    t_x = 0;
    do :: t_x < n -> if :: theirs[t_x] == t_i + 1 -> t_w = t_x; t_sure = true :: else fi; t_x++ :: else -> break od
  :: else
  fi;
  t_x = 0; t_y = 0
}

/* covers: a failure that a query or a webhook reports settles the identity t_w. */
inline covers(to) {
  t_x = copies[t_w];
  if
  :: t_x > 1 && t_ph == P_QUERY && askSafe[t_w] -> t_x = 1
  :: t_x > 1 && t_ph == P_WEBHOOK -> safe(t_w, t_flag); if :: t_flag -> t_x = 1 :: else fi; t_flag = false
  :: else
  fi;
  if
  :: t_name == N_BOTH || (t_ph == P_QUERY && askBy == BY_REQUEST && !t_late && t_w == n - 1) -> skip
  :: else ->
    t_y = 0;
    do :: t_y < n -> if :: t_y != t_w && order[t_y] == order[t_w] -> t_x = t_x + copies[t_y] :: else fi; t_y++ :: else -> break od;
    t_y = 0
  fi;
  to = (t_x <= 1 || (t_ph == P_QUERY && !t_late && askBy != BY_PROVIDER && t_name != N_PROVIDER && askFound[t_w] && ARRIVED));
  t_x = 0
}

/* learn: takes the answer with the judged fact t_j into the ledger. t_f is the fact that the flow takes from it. */
inline learn() {
  t_f = t_j; t_news = false; t_repeat = false; t_proved = PROVED;
  identify();
  if
  :: t_w == NONE -> t_f = c_expr { F_OTHER(now.T)[now.t_j] }; t_e = F_EFF(t_f)
  :: else ->
    if :: t_late && n > 1 -> t_sure = false :: else fi;
    if
    :: t_name == N_PROVIDER && t_sure && (t_ph == P_SEND || !SHARES(t_w)) -> theirs[t_w] = t_i + 1
    :: else
    fi;
    t_e = F_EFF(t_j);
    if :: t_ph == P_SEND && !t_late && t_e == NOT && F_STAGE(t_j) == DOOR && copies[t_w] > 0 -> copies[t_w] = copies[t_w] - 1 :: else fi;
    if
    :: t_e == UNK && F_CLASS(t_j) == C_NOTFOUND && t_ph == P_QUERY && !t_late && askFound[t_w] && ARRIVED && !(askBy == BY_PROVIDER && again[t_w]) -> t_f = c_expr { F_ABSENT(now.T)[now.t_j] }
    :: t_e == NOT ->
      t_flag = (t_sure && (!t_late || (n == 1 && !again[0])));
      if
      :: t_flag && t_ph == P_SEND && again[t_w] && prior[t_w] != NOT ->
        safe(t_w, t_flag);
        t_flag = (t_flag && K(firstResult) && F_STAGE(t_j) == RESULT)
      :: t_flag && t_ph != P_SEND -> covers(t_flag)
      :: else
      fi;
      if :: t_flag -> skip :: else -> t_f = c_expr { F_LOWER(now.T)[now.t_j] } fi;
      t_flag = false
    :: else
    fi;
    if :: t_e == EXE && (t_odd || (mism[t_w] && eff[t_w] != EXE)) -> t_f = c_expr { F_MISMATCH(now.T)[now.t_f] } :: else fi;
    /* enter it */
    t_e = F_EFF(t_f);
    t_x = eff[t_w]; t_y = fact[t_w];
    if
    :: eff[t_w] == EXE && t_e == NOT -> cont[t_w] = true
    :: eff[t_w] != EXE && cont[t_w] && t_e == NOT -> skip
    :: eff[t_w] == NOT && t_e == PEND -> eff[t_w] = PEND; fact[t_w] = t_f; reop[t_w] = true
    :: t_e == EXE -> mism[t_w] = ((mism[t_w] && eff[t_w] == EXE) || F_CLASS(t_f) == C_MISMATCH); eff[t_w] = EXE; fact[t_w] = t_f
    :: eff[t_w] < NOT && !(cont[t_w] && t_e == NOT) && t_e != EXE ->
      if :: t_e != UNK || eff[t_w] == UNK -> eff[t_w] = t_e :: else fi;
      fact[t_w] = t_f
    :: else
    fi;
    /* what it says of the money stays */
    if :: F_CLASS(t_j) == C_DISPUTED -> disp[t_w] = true :: else fi;
    if :: F_CLASS(t_j) == C_MISMATCH && F_STAGE(t_j) == RESULT -> mism[t_w] = true :: else fi;
    t_news = (t_x != eff[t_w]);
    t_e = fact[t_w];
    t_repeat = (!t_news && F_NAME(t_y) == F_NAME(t_e));
    t_x = 0; t_y = 0; t_e = F_EFF(t_f)
  fi
}

/* see: the fact that the rules are shown (t_s), and the decisions that they can come to (t_lo up to t_hi). */
inline see() {
  t_s = t_f; t_e = F_EFF(t_s);
  if
  :: t_w != NONE ->
    if
    :: eff[t_w] >= NOT && t_e < NOT ->
      if
      :: X(t_w) || t_w == n - 1 -> t_s = fact[t_w]
      :: !(X(t_w) || t_w == n - 1) && eff[n - 1] >= NOT -> t_s = fact[n - 1]
      :: else -> t_s = K(processing)
      fi
    :: else
    fi;
    t_e = F_EFF(t_s);
    if :: mism[t_w] && t_e == EXE -> t_s = c_expr { F_MISMATCH(now.T)[now.t_s] } :: else fi
  :: else
  fi;
  t_e = F_EFF(t_s);
  if
  :: t_e != EXE && X(0) -> t_s = fact[0]; t_flag = mism[0]
  :: t_e != EXE && !X(0) && X(1) -> t_s = fact[1]; t_flag = mism[1]
  :: t_e != EXE && !X(0) && !X(1) && X(2) -> t_s = fact[2]; t_flag = mism[2]
  :: else
  fi;
  if :: t_flag -> t_s = c_expr { F_MISMATCH(now.T)[now.t_s] } :: else fi;
  t_flag = false;
  t_e = F_EFF(t_s);
  if :: t_e == EXE && F_CLASS(t_s) != C_MISMATCH && DISPUTED -> t_s = c_expr { F_DISPUTED(now.T)[now.t_s] } :: else fi;
  if
  :: F_CLASS(t_s) == C_NOTFOUND && t_e != EXE && DOUBT_BEFORE -> t_s = c_expr { F_CONFLICT(now.T)[now.t_s] }
  :: t_e == EXE && F_CLASS(t_s) != C_MISMATCH && !PROVED -> t_s = c_expr { F_CONFLICT(now.T)[now.t_s] }
  :: else
  fi;
  t_e = F_EFF(t_s);
  t_doubt = DOUBT;
  t_reopened = (t_e != EXE && REOPENED);
  c_code { look(now.T, now.t_ph, now.t_k, now.t_s, now.t_doubt); };
  t_lo = c_expr { found_from }; t_hi = c_expr { found_to }
}

/* want: one decision of the rules, and which limits are spent. */
inline want() {
  if
  :: t_reopened -> t_a = QUERY; t_sched = true; t_rule = 0
  :: else ->
    t_d = 0;
    do :: t_lo + t_d + 1 < t_hi -> t_d++ :: break od;
    skip;
    d_step {
      c_code { take(now.T, now.t_ph, now.t_k, now.t_s, now.t_doubt, now.t_d); };
      t_a = c_expr { taken_action }; t_sched = c_expr { taken_wait }; t_rule = c_expr { taken_rule }
    }
  fi;
  d_step { held = false; heldA = 0; heldVia = 0; breaks(t_a); t_x = t_viol; t_viol = 0 };
#ifdef COUNTED
  d_step { t_over = over; t_noSends = (attempts >= K(maxAttempts)); t_noQueries = (queries >= K(maxQueries)); t_x = 0 }
#else
  if
  :: SENDS(t_a) || t_a == QUERY || t_x != 0 -> if :: !PAST -> t_over = false :: t_over = true fi
  :: else
  fi;
  if
  :: !t_over && (SENDS(t_a) || t_x != 0 || (t_a == QUERY && !CAN_QUERY)) -> /* a repeat may take the place of a query */ if :: K(maxAttempts) > 1 -> t_noSends = false :: t_noSends = true fi
  :: else
  fi;
  if
  :: !t_over && (t_a == QUERY || t_x != 0 || t_noSends) -> if :: t_noQueries = false :: t_noQueries = true fi
  :: else
  fi;
  t_x = 0
#endif
}

/* carry: what the flow does about the decision. */
inline carry() {
  d_step {
    settle();
    if :: t_viol != 0 -> BROKEN(5, now.t_rule) :: else fi;
    if
    :: t_limit && ((t_a == FAIL) != ALL_NOT) && ENDS(t_a) -> BROKEN(4, 0)
    :: else
    fi;
    if
    :: ENDS(t_a) && !(t_sched && t_viol == 0 && !t_limit) -> conclude(t_a)
    :: else -> wait(t_a, t_via)
    fi
  }
}

inline decide() { d_step { see() }; want(); carry() }

/* after the end an answer can settle what was escalated. */
inline afterEnd() {
  if
  :: outcome != ESCALATED -> skip
  :: outcome == ESCALATED && PROVED && !t_proved && !DISPUTED -> finish(SUCCEEDED)
  :: outcome == ESCALATED && !(PROVED && !t_proved && !DISPUTED) && t_e == NOT && t_w != NONE && ALL_NOT -> finish(FAILED)
  :: else
  fi
}

/* lateNews: what the flow does about a late answer. */
inline lateNews() {
  if
  :: stage == ENDED -> d_step { afterEnd() }
  :: stage == WAITING -> decide()
  :: (stage == SENDING || stage == QUERYING) && t_e == EXE && PROVED -> decide()
  :: else
  fi
}

#ifdef COUNTED
#define QUERIES_LEFT && queries < K(maxQueries)
#else
#define QUERIES_LEFT
#endif
/* Without counts it is not known whether a query was asked before, nor which flow of the key a call was of. */
#ifdef STRICT
#define LATE_QUERY && asked
#define NOT_OURS (t_i < own)
#else
#define LATE_QUERY
#define NOT_OURS false
#endif

/* forget: what no later event reads gets a fixed value, so that equal states are equal. */
inline forget() {
  d_step {
    t_ph = 0; t_k = 0; t_j = 0; t_i = 0; t_r = 0; t_e = 0; t_name = 0; t_odd = false; t_late = false; t_bad = false;
    t_w = 0; t_sure = false; t_f = 0; t_news = false; t_repeat = false; t_decide = false; t_proved = false; t_reopened = false; t_doubt = false;
    t_s = 0; t_d = 0; t_lo = 0; t_hi = 0; t_a = 0; t_via = 0; t_viol = 0; t_over = false; t_noSends = false; t_noQueries = false; t_y = 0; t_flag = false;
    t_sched = false; t_rule = 0; t_limit = false;
    if :: stage != SENDING -> cur = NR :: else fi;
    if :: stage == WAITING && nextA != QUERY -> via = 0 :: else fi;
    if :: stage == ENDED -> held = false; heldA = 0; heldVia = 0 :: else fi;
    t_x = 0;
    do
    :: t_x < NI ->
      if :: stage != QUERYING -> askFound[t_x] = false; askArrived[t_x] = false; askSafe[t_x] = false :: else fi;
      if :: !again[t_x] -> prior[t_x] = NOT :: else fi;
      if :: t_x + 1 == n || eff[t_x] == EXE -> reop[t_x] = false :: else fi;
      if :: eff[t_x] < NOT || (t_x + 1 < n && eff[t_x] == NOT) || (eff[t_x] == NOT && (stage == ENDED && outcome != ESCALATED)) -> fact[t_x] = NONE_FACT :: else fi;
      t_x++
    :: else -> break
    od;
    t_x = 0;
    do :: t_x < NR -> if :: stage != QUERYING -> rask[t_x] = false :: else fi; if :: rid[t_x] != NONE && rst[t_x] == AWAY && K(arrival) > 0 && rage[t_x] >= K(arrival) -> rst[t_x] = REFUSED :: else fi; if :: t_x < nr && rage[t_x] > 0 && K(arrival) == 0 && K(found) == 0 && !K(dedupes) -> rage[t_x] = 0 :: else fi; t_x++ :: else -> break od;
    if :: stage != QUERYING -> askBy = 0 :: else fi;
    t_x = 0
  }
}

inline pickAnswer(phase) {
  t_ph = phase; t_k = 0;
  do :: t_k + 1 < c_expr { JUDGED_N(now.T)[now.t_ph] } -> t_k++ :: break od;
  t_j = c_expr { JUDGED_BY(3 * now.T + now.t_ph)[now.t_k] };
  t_e = F_EFF(t_j)
}

/* pickNews: the same, without the answers that prove nothing. They stand last. */
inline pickNews(phase) {
  t_ph = phase; t_k = 0;
  do :: t_k + 1 < c_expr { NEWS_N(now.T)[now.t_ph] } -> t_k++ :: break od;
  t_j = c_expr { JUDGED_BY(3 * now.T + now.t_ph)[now.t_k] };
  t_e = F_EFF(t_j)
}

inline pickIdentity() { t_i = 0; do :: t_i + 1 < n -> t_i++ :: break od; skip }
inline pickRequest() { t_r = 0; do :: t_r + 1 < nr -> t_r++ :: break od; skip }

/* trueOf(i): what the provider says with effect t_e about the identity is true; t_odd says that the answer names another amount. */
#define SHARED_REPEAT(i) (K(byOrder) && HAS(i, REPEAT))
inline saysExecution(i) {
  if
  :: F_CLASS(t_j) != C_MISMATCH && HAS(i, DONE) -> skip
  :: HAS(i, ODD) -> t_odd = true
  :: else -> t_bad = true
  fi
}

/* A refusal of the request t_r of identity i, given by the call itself. */
inline saysRefusal(i) {
  d_step {
    t_flag = (!again[i] || (K(firstResult) && rded[t_r])); /* a result is the stored one */
    if
    :: F_STAGE(t_j) == RESULT && t_flag && (rst[t_r] == STOPPED || (rst[t_r] == REPEAT && (HAS(i, STOPPED) || (K(byOrder) && SHARES(i))))) -> skip
    :: !(F_STAGE(t_j) == RESULT && t_flag) && (rst[t_r] == AWAY) -> rst[t_r] = REFUSED
    :: !(F_STAGE(t_j) == RESULT && t_flag) && (rst[t_r] == REFUSED || rst[t_r] == REPEAT || (rst[t_r] == STOPPED && F_STAGE(t_j) == RESULT)) -> skip
    :: else -> t_bad = true
    fi;
    t_flag = false
  }
}

/* A query that was asked when nothing could be on its way any more, and late enough to find all, sees every copy. */
#define SEES_ALL(i) (askFound[i] && askArrived[i])
inline saysFailure(i) {
  d_step {
    if :: HAS(i, STOPPED) -> skip :: else -> t_bad = true fi;
    if
    :: t_ph == P_QUERY && !t_late && askBy != BY_PROVIDER && !t_bad ->
      t_flag = true; t_x = 0;
      do
      :: t_x < n ->
        if :: t_x == i || (askBy == BY_ORDER && t_name != N_BOTH && order[t_x] == order[i]) -> t_flag = (t_flag && SEES_ALL(t_x)) :: else fi;
        t_x++
      :: else -> break
      od;
      t_x = 0;
      do
      :: t_flag && t_x < n ->
        if
        :: (t_x == i || (askBy == BY_ORDER && t_name != N_BOTH && order[t_x] == order[i])) && (HAS(t_x, DONE) || HAS(t_x, ODD)) -> t_bad = true
        :: else
        fi;
        t_x++
      :: else -> break
      od;
      t_flag = false; t_x = 0
    :: else
    fi
  }
}

/* "Not found" by a query that was asked late enough to find what had arrived. */
inline saysAbsence(i) {
  d_step {
    t_flag = false; t_x = 0; t_y = 0;
    do
    :: t_x < nr ->
      if
      :: (rid[t_x] == i || (askBy == BY_ORDER && order[rid[t_x]] == order[i])) && rask[t_x] && askFound[rid[t_x]] -> t_flag = true
      :: rid[t_x] == i && !rask[t_x] -> t_y++
      :: else
      fi;
      t_x++
    :: else -> break
    od;
    if :: t_flag && !(askBy == BY_PROVIDER && t_y > 0) -> t_bad = true :: else fi;
    t_flag = false; t_x = 0; t_y = 0
  }
}

inline hear() {
  d_step { learn() }
}

active proctype key() {
  d_step {
    order[0] = 0; eff[0] = NOT; eff[1] = NOT; eff[2] = NOT; prior[0] = NOT; prior[1] = NOT; prior[2] = NOT;
    rid[0] = NONE; rid[1] = NONE; rid[2] = NONE; rid[3] = NONE; cur = NR;
    fact[0] = NONE_FACT; fact[1] = NONE_FACT; fact[2] = NONE_FACT
  };
  c_code { choose_table(); };
  if
  :: c_expr { chosen > -1 } -> T = c_expr { chosen }
  :: else -> do :: T + 1 < TABLES -> T++ :: break od; skip
  fi;
  d_step {
    n = 1; order[0] = 1; theirs[0] = K(target) * (NI + 1);
    send()
  };
  forget();

end_of_event:
  do
  /* ---- the provider ---- */
  :: atomic { /* a request arrives */
      EXECUTIONS < 2 && ((rid[0] != NONE && rst[0] == AWAY) || (rid[1] != NONE && rst[1] == AWAY) || (rid[2] != NONE && rst[2] == AWAY) || (rid[3] != NONE && rst[3] == AWAY)) ->
      pickRequest();
      if
      :: rst[t_r] == AWAY && (K(arrival) == 0 || rage[t_r] < K(arrival)) ->
        d_step {
          /* a repeat that the contract says is deduped; the window may be over when nothing bounds the arrival */
          t_x = 0; t_flag = false; t_i = rid[t_r]; t_s = 0;
          do :: t_s < nr && !(rid[t_s] == t_i || (K(byOrder) && order[rid[t_s]] == order[t_i])) -> t_s++ :: else -> break od;
          do
          :: t_x < nr -> if :: rded[t_r] && !WINDOW_OVER && t_x != t_r && rst[t_x] >= STORED && rded[t_x] && (rid[t_x] == t_i || (K(byOrder) && order[rid[t_x]] == order[t_i])) -> t_flag = true :: else fi; t_x++
          :: else -> break
          od;
          t_x = 0
        };
        if
        :: t_flag -> rst[t_r] = REPEAT
        :: !t_flag -> if :: rst[t_r] = STOPPED :: rst[t_r] = DONE :: t_r == 0 && K(money) -> rst[t_r] = ODD fi
        fi;
        executed()
      :: else
      fi;
      forget()
    }
  :: atomic { /* time passes: a send reaches the next age that matters, and those before it have */
      EXECUTIONS < 2 && (stage != ENDED || K(windowEnd) > 0) && K(ages) > 0 ->
      pickRequest();
      if
      :: rage[t_r] < K(ages) && (t_r == 0 || rage[t_r - 1] > rage[t_r]) -> rage[t_r] = rage[t_r] + 1
      :: else
      fi;
      forget()
    }

  /* ---- calls and their answers ---- */
  :: atomic { /* the request did not leave */
      EXECUTIONS < 2 && stage == SENDING && rst[cur] == AWAY ->
      d_step { rst[cur] = REFUSED; t_ph = P_SEND; t_k = NOT_SENT; t_j = c_expr { JUDGED_BY(3 * now.T)[now.t_k] }; t_i = rid[cur]; learn() };
      decide();
      forget()
    }
  :: atomic { /* the answer of a send */
      EXECUTIONS < 2 && stage == SENDING ->
      pickAnswer(P_SEND);
      t_i = rid[cur]; t_r = cur;
      if :: t_name = N_NOTHING :: t_e != UNK -> t_name = N_OTHER :: K(asksTheirs) -> t_name = N_PROVIDER fi;
      if
      :: t_k == NOT_SENT -> t_bad = true
      :: t_k != NOT_SENT && t_name != N_OTHER && t_e == PEND && !HAS_STORED(t_i) && !SHARED_REPEAT(t_i) -> t_bad = true
      :: t_k != NOT_SENT && t_name != N_OTHER && t_e == EXE -> saysExecution(t_i)
      :: t_k != NOT_SENT && t_name != N_OTHER && t_e == NOT -> saysRefusal(t_i)
      :: else
      fi;
      if :: t_bad -> skip :: else -> hear(); decide() fi;
      forget()
    }
  :: atomic { /* a late answer of a send that the flow does not wait for any more */
      EXECUTIONS < 2 && nr > 0 && (stage != SENDING || nr > 1) && (stage != ENDED || outcome == ESCALATED) ->
      pickNews(P_SEND);
      pickRequest();
      t_late = true; t_i = rid[t_r];
      if :: t_name = N_NOTHING :: t_name = N_BOTH fi;
      if
      :: t_e == UNK || t_r == cur || NOT_OURS || t_k == NOT_SENT -> t_bad = true
      :: !(t_e == UNK || t_r == cur || NOT_OURS || t_k == NOT_SENT) && t_e == PEND && !HAS_STORED(t_i) -> t_bad = true
      :: !(t_e == UNK || t_r == cur || NOT_OURS || t_k == NOT_SENT) && t_e == EXE -> saysExecution(t_i)
      :: !(t_e == UNK || t_r == cur || NOT_OURS || t_k == NOT_SENT) && t_e == NOT -> saysRefusal(t_i)
      :: else
      fi;
      if :: t_bad -> skip :: else -> hear(); lateNews() fi;
      forget()
    }
  :: atomic { /* the answer of a query */
      EXECUTIONS < 2 && stage == QUERYING ->
      pickAnswer(P_QUERY);
      pickIdentity();
      if
      :: t_name = N_NOTHING
      :: t_e != UNK && t_i == n - 1 -> t_name = N_OTHER
      :: askBy == BY_ORDER && SHARES(t_i) -> t_name = N_BOTH
      fi;
      if
      :: t_i != n - 1 && (askBy != BY_ORDER || order[t_i] != order[n - 1]) -> t_bad = true
      :: else ->
        if
        :: t_name == N_OTHER -> skip
        :: t_name != N_OTHER && t_e == PEND && !HAS_STORED(t_i) -> t_bad = true
        :: t_name != N_OTHER && t_e == EXE -> saysExecution(t_i)
        :: t_name != N_OTHER && t_e == NOT -> saysFailure(t_i)
        :: t_name != N_OTHER && t_e == UNK && F_CLASS(t_j) == C_NOTFOUND -> saysAbsence(t_i)
        :: else
        fi
      fi;
      if
      :: t_bad -> skip
      :: else ->
        hear();
        if
        :: held && !t_news -> d_step { wait(heldA, heldVia); held = false; heldA = 0; heldVia = 0 }
        :: else -> decide()
        fi
      fi;
      forget()
    }
  :: atomic { /* the late answer of an earlier query */
      EXECUTIONS < 2 && K(byKnown) != BY_NOTHING && (stage != ENDED || outcome == ESCALATED) LATE_QUERY ->
      pickNews(P_QUERY);
      pickIdentity();
      t_late = true;
      if
      :: t_name = N_NOTHING
      :: t_i == n - 1 -> t_name = N_OTHER
      :: ASKS_NOW == BY_ORDER && SHARES(t_i) && order[t_i] == order[n - 1] -> t_name = N_BOTH
      fi;
      if
      :: t_e == UNK -> t_bad = true
      :: t_e != UNK && t_name != N_OTHER && t_e == PEND && !HAS_STORED(t_i) -> t_bad = true
      :: t_e != UNK && t_name != N_OTHER && t_e == EXE -> saysExecution(t_i)
      :: t_e != UNK && t_name != N_OTHER && t_e == NOT -> saysFailure(t_i)
      :: else
      fi;
      if :: t_bad -> skip :: else -> hear(); lateNews() fi;
      forget()
    }

  /* ---- webhooks: late, twice, in any order, with or without a valid signature ---- */
  :: atomic {
      EXECUTIONS < 2 && (stage != ENDED || outcome == ESCALATED) ->
      pickAnswer(P_WEBHOOK);
      pickIdentity();
      if
      :: t_name = N_BOTH
      :: SHARES(t_i) -> t_name = N_ORDER
      :: K(asksTheirs) -> t_name = N_PROVIDER
      fi;
      if
      :: t_e == UNK && !HAS(t_i, AWAY) && !HAS_STORED(t_i) && !HAS(t_i, REPEAT) -> t_bad = true
      :: t_e == PEND && !HAS_STORED(t_i) -> t_bad = true
      :: t_e == EXE -> saysExecution(t_i)
      :: t_e == NOT -> saysFailure(t_i)
      :: else
      fi;
      if
      :: t_bad -> skip
      :: else ->
        hear();
        if
        :: stage == ENDED -> d_step { afterEnd() }
        :: stage == WAITING && t_w != NONE && !t_repeat -> decide()
        :: (stage == SENDING || stage == QUERYING) && t_w != NONE && t_e == EXE -> decide()
        :: else
        fi
      fi;
      forget()
    }
  :: atomic { /* a webhook about another client's request under an order of ours: it proves nothing of our requests, and the order is contested */
      EXECUTIONS < 2 && !K(target) && n > 0 && (stage != ENDED || outcome == ESCALATED) ->
      pickNews(P_WEBHOOK);
      pickIdentity();
      if
      :: (t_e == EXE || t_e == PEND) && (t_i == n - 1 || order[t_i] != order[t_i + 1]) ->
        d_step {
          t_f = c_expr { F_CONFLICT(now.T)[now.t_j] };
          t_y = fact[t_i];
          t_repeat = (eff[t_i] == UNK && F_NAME(t_y) == F_NAME(t_f));
          eff[t_i] = UNK; fact[t_i] = t_f; cont[t_i] = true; t_w = NONE; t_y = 0
        };
        if :: stage == WAITING && !t_repeat -> decide() :: else fi
      :: else
      fi;
      forget()
    }
  :: atomic { /* anyone can send a webhook without a signature: a query is brought forward */
      EXECUTIONS < 2 && stage == WAITING && !(nextA == QUERY && via == BY_QUERY) && CAN_QUERY QUERIES_LEFT ->
      d_step {
        if :: nextA != QUERY -> held = true; heldA = nextA; heldVia = via :: else fi;
        wait(QUERY, BY_QUERY)
      };
      forget()
    }

  /* ---- the end of a wait ---- */
  :: atomic {
      EXECUTIONS < 2 && stage == WAITING && (nr < MAX_REQUESTS || !(SENDS(nextA))) && (n < MAX_IDENTITIES || (nextA != NEW_REQUEST && nextA != NEW_ORDER)) ->
      d_step { t_a = nextA; t_via = via; breaks(t_a) };
#ifdef COUNTED
      d_step { t_over = over; t_noSends = (attempts >= K(maxAttempts)); t_noQueries = (queries >= K(maxQueries)) };
#else
      if :: SENDS(t_a) || t_viol != 0 -> if :: !PAST -> t_over = false :: t_over = true fi :: else fi;
      if :: t_viol != 0 && !t_over -> if :: K(maxAttempts) > 1 -> t_noSends = false :: t_noSends = true fi; if :: t_noQueries = false :: t_noQueries = true fi :: else fi;
#endif
      if :: t_a == NEW_ORDER -> if :: t_r = 0 :: t_r = 1 fi :: else fi; /* the caller has no new order id */
      d_step {
        if
        :: t_via == BY_WEBHOOK -> t_x = EXHAUSTED; conclude(t_x); t_x = 0
        :: else ->
          if :: t_viol != 0 -> fallback() :: else fi;
          if
          :: SENDS(t_a) && t_over -> t_x = EXHAUSTED; conclude(t_x); t_x = 0
          :: !(SENDS(t_a) && t_over) && t_a == QUERY && t_via == BY_WEBHOOK -> wait(QUERY, BY_WEBHOOK)
          :: !(SENDS(t_a) && t_over) && t_a == QUERY && t_via != BY_WEBHOOK -> query()
          :: !(SENDS(t_a) && t_over) && t_a == SAME -> if :: nr < MAX_REQUESTS -> send() :: else fi
          :: !(SENDS(t_a) && t_over) && t_a == NEW_REQUEST -> identity(order[n - 1]); send()
          :: !(SENDS(t_a) && t_over) && t_a == NEW_ORDER -> if :: t_r == 1 -> conclude(FAIL) :: else -> identity(n + 1); send() fi
          :: !(SENDS(t_a) && t_over) && ENDS(t_a) -> conclude(t_a)
          fi
        fi
      };
      forget()
    }

  /* ---- people ---- */
  :: atomic { /* the caller withdraws the payment: a send that the flow waited for is replaced */
      EXECUTIONS < 2 && ((stage == WAITING && SENDS(nextA)) || (held && SENDS(heldA))) ->
      d_step { if :: held && SENDS(heldA) -> held = false; heldA = 0; heldVia = 0 :: else fi; t_flag = (stage == WAITING && SENDS(nextA)) };
      if
      :: t_flag ->
        t_flag = false; t_noSends = true;
        if :: DOUBT -> if :: !PAST -> t_over = false :: t_over = true fi; if :: t_noQueries = false :: t_noQueries = true fi :: else fi;
        d_step {
          t_a = EXHAUSTED;
          if :: DOUBT -> fallback() :: else fi;
          if :: t_a == QUERY -> wait(QUERY, t_via) :: else -> conclude(t_a) fi
        }
      :: else -> t_flag = false
      fi;
      forget()
    }
  :: atomic { /* a person looks into the provider's books and settles an identity */
      EXECUTIONS < 2 && n > 0 && DOUBT && (stage != ENDED || outcome == ESCALATED) ->
      pickIdentity();
      if
      :: IN_DOUBT(t_i) -> if :: t_e = EXE :: t_e = NOT fi
      :: else -> t_bad = true
      fi;
      if
      :: !t_bad && t_e == EXE && !HAS(t_i, DONE) -> t_bad = true
      :: !t_bad && t_e == NOT && (stage == SENDING || HAS(t_i, DONE) || HAS(t_i, ODD)) -> t_bad = true
      :: else
      fi;
      if
      :: t_bad -> skip
      :: else ->
        d_step {
          /* what a person calls over does not arrive any more */
          t_x = 0;
          do :: t_x < nr -> if :: t_e == NOT && rid[t_x] == t_i && rst[t_x] == AWAY -> rst[t_x] = REFUSED :: else fi; t_x++ :: else -> break od;
          t_x = 0;
          eff[t_i] = t_e; cont[t_i] = false; mism[t_i] = false; disp[t_i] = false;
          if :: t_e == EXE -> fact[t_i] = K(resolvedDone) :: else -> fact[t_i] = K(resolvedNot) fi;
          if :: PROVED && !DISPUTED -> finish(SUCCEEDED) :: !PROVED && ALL_NOT -> finish(FAILED) :: else fi
        }
      fi;
      forget()
    }
  :: atomic { /* the shopper tries again: another flow of the same payment key, under the same order or a new one */
      EXECUTIONS < 2 && stage == ENDED && outcome != SUCCEEDED && nr < MAX_REQUESTS && n < MAX_IDENTITIES ->
      if :: t_r = 0 :: t_r = 1 fi;
      d_step {
        if
        :: ALL_NOT && !cont[0] && !cont[1] && !cont[2] ->
          own = n; outcome = OPEN;
          if :: t_r == 0 -> identity(order[n - 1]) :: else -> identity(n + 1) fi;
#ifdef COUNTED
          attempts = 0; queries = 0; over = false;
#endif
          send()
        :: !(ALL_NOT && !cont[0] && !cont[1] && !cont[2]) && PROVED && !DISPUTED -> finish(SUCCEEDED)
        :: else -> finish(ESCALATED)
        fi
      };
      forget()
    }
#ifdef COUNTED
  :: atomic { !over && stage != ENDED && stage != NEW -> over = true }
#endif
  od
}
