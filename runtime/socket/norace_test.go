//go:build !race

package socket_test

const detecting = false
