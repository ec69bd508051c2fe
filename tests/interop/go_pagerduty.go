// PagerDuty's own Go client, unchanged, against Ringdown.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/PagerDuty/go-pagerduty"
)

func main() {
	base, key := os.Args[1], os.Args[2]
	ctx := context.Background()
	client := pagerduty.NewClient("", pagerduty.WithV2EventsAPIEndpoint(base))
	event := pagerduty.V2Event{RoutingKey: key, Action: "trigger", Payload: &pagerduty.V2Payload{
		Summary: "Queue is growing", Source: "queue-1.example", Severity: "error",
		Details: map[string]any{"depth": 90210},
	}}
	for _, action := range []string{"trigger", "acknowledge", "resolve"} {
		event.Action = action
		response, err := client.ManageEventWithContext(ctx, &event)
		if err != nil {
			fmt.Println(action, "failed:", err)
			os.Exit(1)
		}
		fmt.Println("go-pagerduty", action, "->", response.Status, response.DedupKey)
		event.DedupKey = response.DedupKey
	}
}
