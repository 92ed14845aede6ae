package verify
import ("testing";"context";"fmt";"github.com/recourse-pay/recourse/engine";"github.com/recourse-pay/recourse/policy")
func TestDbg(t *testing.T){
 e,err:=engine.Open("testdata/mutation"); if err!=nil{t.Fatal(err)}
 p:=policy.Payment{Provider:"mill",Merchant:"grace",Operation:policy.Pay,Amount:120000,Currency:"VND"}
 m,_:=newModel(e,p,false,false)
 fmt.Println(m.clock.cuts,m.clock.roles,m.clock.expired,m.clock.settled, m.terms.Contract, m.terms.Limits)
 s:=newSearch(m); s.most=60000
 s.stop=func(f *finding)bool{return f.property!="S5"}
 s.run(context.Background())
 for i:=range s.found{ f:=&s.found[i]; sc:=s.script(f)
  for _,x:=range sc.steps { fmt.Printf("%+v\n   ids %+v copies %+v started %d\n   -> %v\n",x.by,x.from.ids,x.from.copies,x.from.started,x.event)
   if x.to!=nil{fmt.Printf("   to %+v %+v %s %v\n", x.to.ids,x.to.copies,x.to.s.Stage,x.to.s.Ledger)} } }
}
