package redis

import "time"

// Wait sets how long an answer may take: a machine that stands still for answerTime is none that Redis has left.
func (c *Client) Wait(patience time.Duration) { c.patience = patience }
