package jobs

import "context"

// Section is what jobs tell of themselves.
type Section struct {
	Backend   string          `json:"backend"`
	Caps      Caps            `json:"caps"`
	Kinds     []string        `json:"kinds"`
	Working   int64           `json:"working"` // jobs at work on this server
	Done      int64           `json:"done"`    // tries on this server that succeeded, since its start
	Failed    int64           `json:"failed"`
	Queues    []QueueState    `json:"queues"`
	Schedules []ScheduleState `json:"schedules"`
}

// Section reads it.
func (s *Service) Section(ctx context.Context) (Section, error) {
	section := Section{
		Backend: s.config.Backend, Caps: s.deps.Queue.Caps(), Kinds: s.Kinds(),
		Working: s.working.Load(), Done: s.done.Load(), Failed: s.failed.Load(),
	}
	var err error
	if section.Queues, err = s.Queues(ctx); err != nil {
		return section, err
	}
	section.Schedules, err = s.Schedules(ctx)
	return section, err
}
