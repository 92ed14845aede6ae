package redact

import "reflect"

// Report replaces the card numbers in all texts of what is shown of a recording: each by a name of its own, the same in all of it. What is
// to be changed is behind a pointer, or in a slice.
func (h *Hider) Report(shown ...any) {
	for _, v := range shown {
		h.walk(reflect.ValueOf(v))
	}
}

func (h *Hider) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		h.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				h.walk(v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			h.walk(v.Index(i))
		}
	case reflect.Map:
		h.walkMap(v)
	case reflect.String:
		if text := h.text(v.String()); text != v.String() && v.CanSet() {
			v.SetString(text)
		}
	default:
	}
}

// walkMap replaces what stands in a map, where nothing can be changed in place.
func (h *Hider) walkMap(m reflect.Value) {
	for _, name := range m.MapKeys() {
		key, value := reflect.New(name.Type()).Elem(), reflect.New(m.Type().Elem()).Elem()
		key.Set(name)
		value.Set(m.MapIndex(name))
		h.walk(key)
		h.walk(value)
		m.SetMapIndex(name, reflect.Value{})
		m.SetMapIndex(key, value)
	}
}
