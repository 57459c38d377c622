package planned

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Files is the table [files]: uploads.
type Files struct {
	config.Switch
	Named map[string]Bucket `toml:"*" doc:"One kind of upload."`
}

// Check wants names that fit into routes.
func (f *Files) Check(r *config.Report) { config.CheckNames(r, f.Named, "/files", "enabled") }

// Bucket is the table [files.NAME].
type Bucket struct {
	config.Switch
	Path         string        `toml:"path" form:"route" doc:"Its route. Default: /files/NAME."`
	Storage      string        `toml:"storage" default:"default" doc:"Which of [storage] holds it."`
	AllowedTypes []string      `toml:"allowed_types" default:"image/jpeg,image/png,image/webp,image/gif,application/pdf" doc:"Media types that it takes."`
	MaxSize      config.Bytes  `toml:"max_size" default:"10MB" min:"1B" doc:"Bytes of one file."`
	Validate     *bool         `toml:"validate_magic_bytes" default:"true" doc:"Look into a file for its type, rather than believe the client."`
	Public       *bool         `toml:"public" default:"false" doc:"Whether anybody may read."`
	Cache        time.Duration `toml:"cache" default:"0s" doc:"How long clients may keep a file."`
	URLExpiry    time.Duration `toml:"url_expiry" default:"1h" min:"1s" max:"7d" doc:"How long a signed address holds."`
	ScanMalware  bool          `toml:"scan_malware" doc:"Have each file scanned before it can be read."`
	Processing   Processing    `toml:"processing" doc:"What is made of images."`
	OnUpload     OnUpload      `toml:"on_upload" doc:"What is called when a file is there."`
}

// Processing is the table [files.NAME.processing].
type Processing struct {
	StripEXIF    *bool     `toml:"strip_exif" default:"true" doc:"Remove where and when a picture was taken."`
	OutputFormat string    `toml:"output_format" enum:"jpeg,png,webp" doc:"The format that images are turned into."`
	Quality      int       `toml:"quality" default:"85" min:"1" max:"100" doc:"Of lossy formats."`
	Variants     []Variant `toml:"variants" doc:"Other sizes."`
}

// Variant is one entry of [[files.NAME.processing.variants]].
type Variant struct {
	Name   string `toml:"name" doc:"How it is asked for: ?variant=NAME."`
	Width  int    `toml:"width" min:"1" max:"20000" doc:"Pixels."`
	Height int    `toml:"height" min:"1" max:"20000" doc:"Pixels."`
	Mode   string `toml:"mode" default:"fit" enum:"fit,fill,crop" doc:"fit keeps all, fill covers all, crop cuts."`
}

// Check wants a name and a size.
func (v *Variant) Check(r *config.Report) {
	if v.Name == "" && !r.Reported("name") {
		r.Error("", "config/missing-key", "a variant needs `name`", `name = "thumb"`)
	}
	if v.Width == 0 && v.Height == 0 && !r.Reported("width") && !r.Reported("height") {
		r.Error("", "config/missing-key", "a variant needs `width` or `height`", "width = 200")
	}
}

// OnUpload is the table [files.NAME.on_upload].
type OnUpload struct {
	Function string            `toml:"function" doc:"A function of the database."`
	Mapping  map[string]string `toml:"mapping" doc:"Its parameters and where their values are."`
}

// Storage is the table [storage]: where files lie.
type Storage struct {
	config.Switch
	Named map[string]Store `toml:"*" doc:"One place."`
}

// Store is the table [storage.NAME].
type Store struct {
	config.Switch
	Backend   string        `toml:"backend" enum:"local,s3,r2,gcs,azure" doc:"What it is."`
	BasePath  string        `toml:"base_path" doc:"local: the folder."`
	ServePath string        `toml:"serve_path" form:"route" doc:"local: the route that public files are read by."`
	Bucket    string        `toml:"bucket" doc:"The bucket or container."`
	BucketEnv config.Secret `toml:"bucket" doc:"Where its name is when it is not in the file."`
	Region    string        `toml:"region" doc:"s3: the region."`
	Endpoint  string        `toml:"endpoint" form:"url" doc:"s3: the server, when it is not Amazon's."`
	Endpoints config.Secret `toml:"endpoint" doc:"Where that is when it is not in the file."`
	PathStyle bool          `toml:"path_style" doc:"s3: the bucket stands in the path, as MinIO wants it."`
	AccessKey config.Secret `toml:"access_key" doc:"s3, r2, azure: the account's key."`
	SecretKey config.Secret `toml:"secret_key" doc:"s3, r2: its secret."`
	AccountID config.Secret `toml:"account_id" doc:"r2, azure: the account."`
	Account   config.Secret `toml:"credentials" doc:"gcs: the service account, JSON."`
	PublicURL string        `toml:"public_url" form:"url" doc:"Where public files are read, such as a CDN."`
}

var storeRules = map[string]config.Kind{
	"local": {Needs: []string{"base_path"}, Takes: []string{"serve_path"}},
	"s3":    {Needs: []string{"bucket"}, Takes: []string{"region", "endpoint", "path_style", "access_key", "secret_key"}},
	"r2":    {Needs: []string{"bucket", "account_id", "access_key", "secret_key"}, Takes: []string{"endpoint"}},
	"gcs":   {Needs: []string{"bucket"}, Takes: []string{"credentials", "endpoint"}},
	"azure": {Needs: []string{"bucket", "account_id", "access_key"}, Takes: []string{"endpoint"}},
}

// Check wants the keys of the backend.
func (s *Store) Check(r *config.Report) {
	if r.Reported("backend") {
		return
	}
	if s.Backend == "" {
		r.Error("", "config/missing-key", "a storage needs `backend`", `backend = "local"`)
		return
	}
	storeRules[s.Backend].Check(r, s.Backend, storeRules)
}
