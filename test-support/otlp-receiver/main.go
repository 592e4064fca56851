// Takes traces by the collector's own OTLP receiver, over HTTP, and writes each batch to standard output as one line
// of JSON (OTLP/JSON). The first line is the address that it listens at: any free one of this machine.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.uber.org/zap"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	address, err := freeAddress()
	if err != nil {
		return err
	}
	writer := &lines{}
	traces, err := consumer.NewTraces(writer.write)
	if err != nil {
		return err
	}
	factory := otlpreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*otlpreceiver.Config)
	config.Protocols.HTTP.GetOrInsertDefault().ServerConfig.NetAddr.Endpoint = address
	telemetry := componenttest.NewNopTelemetrySettings()
	telemetry.Logger = zap.NewNop()
	settings := receiver.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry}
	taker, err := factory.CreateTraces(ctx, settings, config, traces)
	if err != nil {
		return err
	}
	if err := taker.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	fmt.Printf("http://%s\n", address)
	<-ctx.Done()
	return taker.Shutdown(context.Background())
}

// Batches of several connections come at the same time.
type lines struct {
	sync.Mutex
	marshaler ptrace.JSONMarshaler
}

func (l *lines) write(_ context.Context, batch ptrace.Traces) error {
	line, err := l.marshaler.MarshalTraces(batch)
	if err != nil {
		return err
	}
	l.Lock()
	defer l.Unlock()
	_, err = fmt.Printf("%s\n", line)
	return err
}

// The receiver does not say which port it was given.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
