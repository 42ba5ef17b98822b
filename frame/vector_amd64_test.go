//go:build !purego

package frame

import "testing"

func TestMachinesWithoutAVX2_DoTheSame(t *testing.T) {
	defer func(had bool) { hasVectors = had }(hasVectors)
	hasVectors = false
	TestMask_OfLongPayloads_EqualsTheRule(t)
	TestUTF8_TextCutAnywhere_IsNotWrong(t)
	TestUTF8_AnyByteChanged_IsSeen(t)
}
