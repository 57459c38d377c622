package config

import "reflect"

// Switch is embedded in the table of everything that can be switched off while its keys stay.
type Switch struct {
	Enabled *bool `toml:"enabled" default:"true" doc:"Whether this table counts; false is as if it were not there."`
}

// On tells whether the table counts. A table that was never read counts.
func (s Switch) On() bool { return s.Enabled == nil || *s.Enabled }

// switchedOff tells whether a table says enabled = false of itself.
func switchedOff(v reflect.Value) bool {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return false
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	s, embedded := v.Interface().(interface{ On() bool })
	return embedded && !s.On()
}
